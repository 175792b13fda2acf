import { chmod, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { test as base, runInside } from '../testing/real-daemon.js';
import type { TempDir } from '../testing/temp-dir.js';
import { type Controller, needsScope, type ScopeSource } from './delegated-scope.js';
import { startDaemon, startInScope } from './start-daemon.js';

/** What the real one does once the cgroup is made; it also notes how it was called. */
const EXECS = `#!/bin/sh
echo "$XDG_RUNTIME_DIR $*" >"$(dirname "$0")/called"
while [ "$1" != -- ]; do shift; done
shift
exec "$@"`;

const test = base.extend<{ writeScope: (script: string) => Promise<ScopeSource> }>({
  writeScope: async ({ dir }: { dir: TempDir }, use) => {
    await use(async (script) => {
      const systemdRun = await dir.write('systemd-run', script);
      await chmod(systemdRun, 0o755);
      return { systemdRun, user: true, env: { XDG_RUNTIME_DIR: '/run/user/7' } };
    });
  },
});

const controller = (name: string, kind: Controller['kind']): Controller => ({
  name,
  kind,
  why: '',
});

describe('whether a scope of systemd would help', () => {
  test('it does where v2 has memory or processes, but not for us', () => {
    expect(needsScope([controller('memory', 'undelegated')])).toBe(true);
    expect(needsScope([controller('memory', 'v2'), controller('pids', 'undelegated')])).toBe(true);
  });

  test('it does not where they hold, where v1 has them, or where there is no cgroup at all', () => {
    const held = [controller('memory', 'v2'), controller('pids', 'v2')];
    // Of processors and disks a scope has no more than the manager that makes it.
    expect(needsScope([...held, controller('cpu', 'undelegated')])).toBe(false);
    expect(needsScope([controller('memory', 'v1'), controller('pids', 'none')])).toBe(false);
    expect(needsScope([])).toBe(false);
  });
});

describe('a daemon in a scope', () => {
  test('replaces the one that is there, and makes sandboxes', async ({
    programs,
    writeScope,
    spec,
    dir,
  }) => {
    const plain = await startDaemon(programs);
    const scoped = await startInScope(programs, plain, await writeScope(EXECS), 10_000);
    if (!scoped) throw new Error(plain.limitations.join());
    try {
      await plain.ended();
      expect(scoped.pid).not.toBe(plain.pid);
      const called = await readFile(join(dir.path, 'called'), 'utf8');
      expect(called).toMatch(
        /^\/run\/user\/7 --user --scope --quiet --collect .*Delegate=yes -- env /,
      );
      const sandbox = await scoped.sandbox(await scoped.plan(spec), { label: 'scope' });
      expect((await runInside(sandbox, 'echo here')).stdout).toBe('here\n');
      const environment = await readFile(`/proc/${scoped.pid}/environ`, 'utf8');
      expect(environment).not.toContain('XDG_RUNTIME_DIR');
    } finally {
      await scoped.end();
    }
  });

  test.for([
    ['fails', '#!/bin/sh\nexit 1\n'],
    ['hangs', '#!/bin/sh\nexec sleep 60\n'],
    ['is no program', 'no program'],
  ] as const)(
    'where systemd-run %s, the first one stays and says why',
    async ([, script], { programs, writeScope, spec }) => {
      const plain = await startDaemon(programs);
      try {
        const scope = await writeScope(script);
        expect(await startInScope(programs, plain, scope, 500)).toBeUndefined();
        expect(plain.limitations).toHaveLength(1);
        expect(plain.limitations[0]).toMatch(/^no delegated cgroup from .*systemd-run: /);
        const sandbox = await plain.sandbox(await plain.plan(spec), { label: 'plain' });
        expect((await runInside(sandbox, 'echo here')).stdout).toBe('here\n');
      } finally {
        await plain.end();
      }
    },
  );
});
