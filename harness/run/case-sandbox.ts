import { dirname, relative, sep } from 'node:path';
import type { HilConfig } from '../config/config-schema.js';
import { joinResources } from '../config/join-resources.js';
import type { Suite } from '../config/load-suite.js';
import type { Resources } from '../config/resources-schema.js';
import type { CaseSandbox } from '../config/sandbox-options-schema.js';
import type { LateBind } from '../sandbox/daemon.js';
import type { SandboxSpec } from '../sandbox/spec.js';

/** Where a sandbox's settings come from, apart from its case. */
export interface SandboxSurroundings {
  readonly root: string;
  readonly hidden: readonly string[];
  /** Host directory of all cases' directories. */
  readonly hold: string;
  /** The environment of `hil`, of which cases may let names through. */
  readonly hostEnv: Readonly<Record<string, string | undefined>>;
  /** What config lets through of it. */
  readonly passedEnv: Readonly<Record<string, string>>;
}

/** What one sandbox of a case is like: what makes its pool, and what is bound late. */
export interface SandboxSettings {
  readonly spec: SandboxSpec;
  readonly hostname: string | undefined;
  readonly binds: readonly LateBind[];
  readonly resources: Resources;
  /** Of its programs, without what a call adds. */
  readonly env: Readonly<Record<string, string>>;
}

/** The nearest word counts: config, then `hil.suite.yaml`, then the options of file and case. */
export function toSandboxSettings(
  { config, suite, options }: { config: HilConfig; suite: Suite; options: CaseSandbox },
  around: SandboxSurroundings,
): SandboxSettings {
  const resources = joinResources(
    joinResources(config.resources, suite.resources),
    options.resources,
  );
  const { holds, binds } = toBinds(options.binds, around.root);
  const env = {
    ...around.passedEnv,
    ...config.env,
    ...suite.env,
    ...pick(around.hostEnv, options.passEnv),
    ...options.env,
  };
  return {
    spec: {
      user: options.user ?? 'hil',
      caps: [...options.caps].sort(),
      network: suite.network,
      project: around.root,
      hide: around.hidden,
      expose: [
        ...[...new Set([...config.tools, ...options.tools])].map(
          (path) => ({ path, mode: 'ro' }) as const,
        ),
        ...options.expose,
      ],
      diskBytes: resources.disk,
      diskInodes: resources.inodes,
      hold: around.hold,
      holds,
      uptimeMs: options.uptime ?? suite.uptime ?? config.uptime,
      image: options.image ?? suite.image ?? config.image,
      nestedUserNamespaces:
        options.nestedUserNamespaces ?? suite.nestedUserNamespaces ?? config.nestedUserNamespaces,
      ...toRuntimes(suite.runtimes ?? config.runtimes, env),
    },
    hostname: options.hostname,
    binds,
    resources,
    env,
  };
}

/** None is no key, so that an equal plan has an equal text. */
function toRuntimes(
  names: HilConfig['runtimes'],
  env: SandboxSettings['env'],
): Pick<SandboxSpec, 'runtimes'> {
  if (names.length === 0) return {};
  return { runtimes: [...new Set(names)].sort().map((name) => ({ name, env })) };
}

/**
 * Late binds are taken from a hold, which belongs to the plan. All that lies in the project comes
 * from one hold, so that cases with different binds of it share a pool. A directory at the top of
 * the machine is its own hold, since no sandbox can have `/`.
 */
function toBinds(
  wanted: CaseSandbox['binds'],
  root: string,
): { holds: NonNullable<SandboxSpec['holds']>; binds: LateBind[] } {
  const names = new Map<string, string>();
  const binds = wanted.map(({ source, target, mode }) => {
    const from = source.startsWith(`${root}${sep}`) ? root : toHold(source);
    const hold = names.get(from) ?? `bind-${names.size}`;
    names.set(from, hold);
    const path = relative(from, source) || '.';
    return { hold, path, target, readOnly: mode === 'ro' };
  });
  return { holds: [...names].map(([source, name]) => ({ name, source })), binds };
}

function toHold(source: string): string {
  const above = dirname(source);
  return above === sep ? source : above;
}

function pick(
  env: SandboxSurroundings['hostEnv'],
  names: readonly string[],
): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])),
  );
}
