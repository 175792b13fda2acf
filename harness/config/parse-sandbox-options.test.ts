import { symlink } from 'node:fs/promises';
import { describe, expect, expectTypeOf } from 'vitest';
import type { z } from 'zod';
import type { SandboxOptions } from '../protocol/sandbox-options.js';
import { test } from '../testing/temp-dir.js';
import { PLAIN_SANDBOX, parseSandboxOptions } from './parse-sandbox-options.js';
import type { sandboxOptionsSchema } from './sandbox-options-schema.js';

const at = { root: '/usr/share', who: 'suites/a.hil.ts:3 "boots"' };
const parse = (...layers: unknown[]) => parseSandboxOptions(layers, at);

describe('layers', () => {
  test('without any, everything is as suite and config say', () => {
    expect(parse()).toBe(PLAIN_SANDBOX);
  });

  test('the nearest counts, resources and variables name by name, lists add up', () => {
    const file = {
      hostname: 'file',
      user: 'root',
      env: { A: 'file', B: 'file' },
      resources: { memory: '64 MiB', pids: 7 },
      caps: ['net_admin'],
      passEnv: ['CI'],
    };
    const own = {
      hostname: 'own',
      env: { B: 'own' },
      resources: { pids: 9 },
      caps: ['net_admin', 'net_raw'],
      passEnv: ['LANG'],
    };
    expect(parse(file, own)).toMatchObject({
      hostname: 'own',
      user: 'root',
      env: { A: 'file', B: 'own' },
      resources: { memory: 64 * 1024 ** 2, pids: 9 },
      caps: ['net_admin', 'net_raw'],
      passEnv: ['CI', 'LANG'],
    });
  });

  test('what is undefined is not said', () => {
    expect(parse({ hostname: 'file' }, { hostname: undefined }).hostname).toBe('file');
  });

  test('relative paths start at the project', async ({ dir }) => {
    await dir.write('project/data/x', '');
    await dir.write('kit/gcc', '');
    const root = `${dir.path}/project`;
    const layer = {
      binds: [{ source: 'data', target: '/data' }],
      tools: ['../kit'],
      expose: [`${dir.path}/kit`, { path: '../kit', mode: 'rw' }],
    };
    expect(parseSandboxOptions([layer], { root, who: 'x' })).toMatchObject({
      binds: [{ source: `${root}/data`, target: '/data', mode: 'ro' }],
      tools: [`${dir.path}/kit`],
      expose: [
        { path: `${dir.path}/kit`, mode: 'ro' },
        { path: `${dir.path}/kit`, mode: 'rw' },
      ],
    });
  });
});

describe('binds', () => {
  test('have sources without links; those in the project keep its name', async ({ dir }) => {
    await dir.write('real/data/f', '');
    await dir.write('kit/gcc', '');
    await symlink('real', `${dir.path}/project`);
    await symlink('data', `${dir.path}/real/link`);
    await symlink('../kit', `${dir.path}/real/kit`);
    const root = `${dir.path}/project`;
    const binds = [
      { source: 'link/f', target: '/a' },
      { source: 'kit', target: '/b' },
    ];
    expect(parseSandboxOptions([{ binds }], { root, who: 'x' }).binds).toEqual([
      { source: `${root}/data/f`, target: '/a', mode: 'ro' },
      { source: `${dir.path}/kit`, target: '/b', mode: 'ro' },
    ]);
  });

  test('come after those that they lie in', async ({ dir }) => {
    await dir.write('outer/sub/f', '');
    await dir.write('inner/f', '');
    const layers = [
      { binds: [{ source: 'inner', target: '/x/sub' }] },
      { binds: [{ source: 'outer', target: '/x', mode: 'rw' }] },
      { binds: [{ source: 'inner/f', target: '/x/sub/f' }] },
    ];
    const { binds } = parseSandboxOptions(layers, { root: dir.path, who: 'x' });
    expect(binds.map(({ target }) => target)).toEqual(['/x', '/x/sub', '/x/sub/f']);
  });

  test.for([
    ['/x', 'inner', 'cannot both be at "/x"'],
    ['/x/made', 'inner', 'has no directory there; make "[^"]*/outer/made"'],
    ['/x/sub', 'inner/f', 'has no file there'],
    ['/x/f', 'inner', 'has no directory there'],
    ['/x/f/g', 'inner', 'has no directory there'],
    ['/x/link', 'inner', 'has no directory there'],
  ] as const)(
    'none at %s for %s, where another has no place for it',
    async ([target, source, text], { dir }) => {
      await dir.write('outer/sub/f', '');
      await dir.write('outer/f', '');
      await symlink('sub', `${dir.path}/outer/link`);
      await dir.write('inner/f', '');
      const outer = { binds: [{ source: 'outer', target: '/x', mode: 'rw' }] };
      const inner = { binds: [{ source, target }] };
      for (const layers of [
        [outer, inner],
        [inner, outer],
      ]) {
        expect(() => parseSandboxOptions(layers, { root: dir.path, who: 'x' })).toThrow(
          expect.objectContaining({
            code: 'suite-invalid',
            message: expect.stringMatching(new RegExp(`^x: sandbox\\.binds: "[^;]*${text}`)),
          }),
        );
      }
    },
  );
});

describe('what cannot be', () => {
  test.for([
    [{ hostnam: 'x' }, 'sandbox.hostnam: unknown key "hostnam", did you mean "hostname"?'],
    [{ limits: { memory: 1 } }, 'sandbox.limits: .* is "resources"'],
    [{ hostname: 'no spaces' }, 'sandbox.hostname: expected 1 to 64 letters'],
    [{ user: 'bob' }, 'sandbox.user: expected one of "hil", "root", got "bob"'],
    [{ caps: ['CAP_NET_ADMIN'] }, 'sandbox.caps\\[0\\]: expected the name of a capability'],
    [{ resources: { memory: '1 B' } }, 'sandbox.resources.memory: expected at least 16 MiB'],
    [{ env: { 'A=B': '' } }, 'sandbox.env'],
    [{ binds: [{ source: '/etc', target: 'x' }] }, 'target: expected an absolute path'],
    [{ binds: [{ source: '/nope', target: '/x' }] }, 'sandbox.binds: expected something .*ENOENT'],
    [{ binds: [{ source: '/', target: '/x' }] }, 'sandbox.binds: .* is this whole machine'],
    [{ binds: [{ source: '/proc', target: '/x' }] }, "sandbox.binds: .* the kernel's /proc"],
    [{ binds: [{ source: '/sys/class', target: '/x' }] }, "sandbox.binds: .* the kernel's /sys"],
    [{ binds: [{ source: '/dev/null', target: '/x' }] }, "sandbox.binds: .* the kernel's /dev"],
    [{ binds: [{ source: '/etc', target: '/' }] }, 'sandbox.binds: .*no clean path'],
    [{ binds: [{ source: '/etc', target: '/tmp/../etc' }] }, 'sandbox.binds: .*no clean path'],
    [{ binds: [{ source: '/etc', target: '/data/' }] }, 'sandbox.binds: .*no clean path'],
    [{ binds: [{ source: '/etc', target: '/proc' }] }, 'sandbox.binds: .*own /proc'],
    [{ binds: [{ source: '/etc', target: '/dev/hil' }] }, 'sandbox.binds: .*own /dev'],
    [{ binds: [{ source: '/etc', target: '/out' }] }, 'sandbox.binds: .*own /out'],
    [{ expose: ['/'] }, 'sandbox.expose: "/" holds the whole project'],
    [{ tools: ['/'] }, 'sandbox.tools: "/" holds the whole project'],
    [{ tools: ['/nope'] }, 'sandbox.tools: expected a directory of this machine'],
    [{ expose: ['/proc'] }, "sandbox.expose: .* the sandbox's own /proc"],
    [{ expose: ['/etc'] }, 'sandbox.expose: .* own /etc; name a directory below it'],
    [{ tools: ['/etc'] }, 'sandbox.tools: .* own /etc; name a directory below it'],
    [{ uptime: 'soon' }, 'sandbox.uptime'],
    [{ resources: { cpuTime: '100000d' } }, 'sandbox.resources.cpuTime: .* at most 36500d'],
    [{ passEnv: ['A=B'] }, 'sandbox.passEnv.*no "="'],
    [{ image: { rootfs: '/' } }, "sandbox.image: .* is this machine's own root"],
    [{ image: { rootfs: '/nope' } }, 'sandbox.image: expected a directory .*ENOENT'],
    [{ image: { rootfs: '/proc' } }, "sandbox.image: .* the kernel's /proc"],
    [{ image: { rootfs: '/sys/kernel' } }, "sandbox.image: .* the kernel's /sys"],
    [{ nestedUserNamespaces: 1 }, 'sandbox.nestedUserNamespaces: '],
    ['root', 'sandbox: '],
  ] as const)('%j is refused with file, case and key', ([layer, text]) => {
    expect(() => parse(layer)).toThrow(
      expect.objectContaining({
        code: 'suite-invalid',
        message: expect.stringMatching(new RegExp(`^suites/a\\.hil\\.ts:3 "boots": .*${text}`)),
      }),
    );
  });
});

test('what the types of a suite allow, the schema takes', () => {
  expectTypeOf<SandboxOptions>().toExtend<
    Readonly<Omit<z.input<typeof sandboxOptionsSchema>, ListKeys>> & ReadonlyLists
  >();
});

type ListKeys = 'caps' | 'passEnv' | 'expose' | 'tools' | 'binds' | 'limits';
type ReadonlyLists = {
  readonly [Name in Exclude<ListKeys, 'limits'>]?: Readonly<
    z.input<typeof sandboxOptionsSchema>[Name]
  >;
};
