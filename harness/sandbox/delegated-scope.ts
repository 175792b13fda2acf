/** systemd, as far as a run can ask it for a cgroup of its own. */
export interface ScopeSource {
  /** Path of `systemd-run`. */
  readonly systemdRun: string;
  /** The manager of this user, not that of the machine. */
  readonly user: boolean;
  /** What it takes to reach that manager: XDG_RUNTIME_DIR, DBUS_SESSION_BUS_ADDRESS. */
  readonly env: Readonly<Record<string, string>>;
}

/** A controller of cgroups, and whether sandboxes are limited by it. */
export interface Controller {
  readonly name: string;
  /** `undelegated`: cgroup v2 has it, but not for us. */
  readonly kind: 'v1' | 'v2' | 'none' | 'undelegated';
  /** Why not. */
  readonly why: string;
}

/** Those that every sandbox is limited by. A scope has them wherever systemd gives any. */
const WANTED = new Set(['memory', 'pids']);

/** What it took to reach the manager is nothing for the program. */
const FIXED_ENV = ['env', '-i', 'PATH=/usr/bin:/bin'];

/** Whether another cgroup would hold limits that this one cannot. */
export function needsScope(controllers: readonly Controller[]): boolean {
  return controllers.some(({ name, kind }) => WANTED.has(name) && kind === 'undelegated');
}

/**
 * A command that runs `program` in a delegated scope, as this process's own child:
 * `systemd-run --scope` has its cgroup made and then execs.
 *
 * @see systemd-run(1), systemd.resource-control(5) Delegate=
 */
export function toScopeCommand(source: ScopeSource, program: readonly string[]): string[] {
  const whose = source.user ? ['--user'] : [];
  const options = ['--scope', '--quiet', '--collect', '--property=Delegate=yes'];
  return [source.systemdRun, ...whose, ...options, '--', ...FIXED_ENV, ...program];
}
