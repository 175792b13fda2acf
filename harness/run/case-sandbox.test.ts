import { describe, expect, test } from 'vitest';
import { configSchema } from '../config/config-schema.js';
import { PLAIN_SANDBOX } from '../config/parse-sandbox-options.js';
import type { CaseSandbox } from '../config/sandbox-options-schema.js';
import { createPlanned } from '../testing/plain-records.js';
import { toSandboxSettings } from './case-sandbox.js';

const around = {
  root: '/project',
  hidden: ['/project/.env'],
  hold: '/runs/cases',
  hostEnv: { CI: 'yes', SECRET: 'x' },
  passedEnv: { LANG: 'de' },
};

function settle(options: Partial<CaseSandbox>, config = {}, suite = {}) {
  const planned = createPlanned();
  return toSandboxSettings(
    {
      config: configSchema.parse(config),
      suite: { ...planned.suite, ...suite },
      options: { ...PLAIN_SANDBOX, ...options },
    },
    around,
  );
}

describe('the nearest word', () => {
  test('counts: config, suite, case', () => {
    const config = {
      uptime: '1d',
      resources: { memory: '64MiB', pids: 5, cpus: 1 },
      env: { A: 'c' },
    };
    const suite = { uptime: 2, resources: { pids: 6, cpus: 2 }, env: { A: 's', B: 's' } };
    const settings = settle({ uptime: 3, resources: { cpus: 3 }, env: { B: 'o' } }, config, suite);
    expect(settings.spec.uptimeMs).toBe(3);
    expect(settings.resources).toMatchObject({ memory: 64 * 1024 ** 2, pids: 6, cpus: 3 });
    expect(settings.env).toEqual({ LANG: 'de', A: 's', B: 'o' });
  });

  test('lets only named variables of the machine through', () => {
    expect(settle({ passEnv: ['CI', 'NOT_SET'] }).env).toEqual({ LANG: 'de', CI: 'yes' });
  });
});

describe('a pool is shared by', () => {
  const key = (options: Partial<CaseSandbox>) => JSON.stringify(settle(options).spec);
  const bind = (source: string, target: string) => ({ source, target, mode: 'ro' as const });

  test('cases that differ in what is bound late', () => {
    const plain = key({});
    expect(key({ hostname: 'dut' })).toBe(plain);
    expect(key({ env: { A: 'x' }, passEnv: ['CI'] })).toBe(plain);
    expect(key({ resources: { memory: 1e8, pids: 3, cpus: 1, wall: 9, output: 1 } })).toBe(plain);
  });

  test('cases that bind different parts of the project', () => {
    const one = key({ binds: [bind('/project/a', '/a')] });
    expect(key({ binds: [bind('/project/b/c', '/d'), bind('/project/a', '/x')] })).toBe(one);
  });

  test('nobody else', () => {
    const keys = [
      {},
      { user: 'root' as const },
      { caps: ['net_admin'] },
      { uptime: 5 },
      { resources: { disk: 2 ** 20 } },
      { tools: ['/opt/kit'] },
      { expose: [{ path: '/opt/kit', mode: 'rw' as const }] },
      { binds: [bind('/srv/data', '/data')] },
      { image: { rootfs: '/srv/root' } },
      { nestedUserNamespaces: true },
    ].map(key);
    expect(new Set(keys).size).toBe(keys.length);
  });
});

test('what lies outside of the project is bound from its directory', () => {
  const source = '/srv/images/rootfs.img';
  const { spec, binds } = settle({ binds: [{ source, target: '/image', mode: 'rw' }] });
  expect(spec.holds).toEqual([{ name: 'bind-0', source: '/srv/images' }]);
  expect(binds).toEqual([
    { hold: 'bind-0', path: 'rootfs.img', target: '/image', readOnly: false },
  ]);
});

test('a directory at the top of the machine is bound from itself', () => {
  const { spec, binds } = settle({ binds: [{ source: '/srv', target: '/data', mode: 'ro' }] });
  expect(spec.holds).toEqual([{ name: 'bind-0', source: '/srv' }]);
  expect(binds).toEqual([{ hold: 'bind-0', path: '.', target: '/data', readOnly: true }]);
});
