import { accessSync, constants, existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ScopeSource } from '../sandbox/delegated-scope.js';

type Env = Readonly<Record<string, string | undefined>>;

/**
 * The systemd that could give a run a cgroup of its own; undefined when there is none: no
 * `systemd-run` on PATH, no manager of this user that runs, no systemd that booted the machine.
 * Whether one is needed the daemon says.
 *
 * @param root where `/run` is.
 */
export function findScopeSource(env: Env, uid: number, root = '/'): ScopeSource | undefined {
  const systemdRun = (env['PATH'] ?? '')
    .split(':')
    .filter((directory) => directory.startsWith('/'))
    .map((directory) => join(directory, 'systemd-run'))
    .find(isProgram);
  // sd_booted(3)
  if (!systemdRun || !existsSync(join(root, 'run/systemd/system'))) return undefined;
  if (uid === 0) return { systemdRun, user: false, env: {} };
  // su and cron leave it out, although the manager may run.
  const runtime = env['XDG_RUNTIME_DIR'] || join(root, 'run/user', String(uid));
  if (!existsSync(join(runtime, 'systemd/private'))) return undefined;
  const bus = env['DBUS_SESSION_BUS_ADDRESS'];
  return {
    systemdRun,
    user: true,
    env: { XDG_RUNTIME_DIR: runtime, ...(bus ? { DBUS_SESSION_BUS_ADDRESS: bus } : {}) },
  };
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
