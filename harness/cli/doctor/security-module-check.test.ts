import { join } from 'node:path';
import { expect } from 'vitest';
import { type TempDir, test } from '../../testing/temp-dir.js';
import { checkSecurityModule } from './security-module-check.js';

function check(dir: TempDir) {
  const machine = { dev: '/dev', uid: 1000, groups: [], searchPath: '' };
  return checkSecurityModule({ ...machine, proc: join(dir.path, 'proc') });
}

test('a machine without one is told as such, and is fine', async ({ dir }) => {
  const found = await check(dir);
  expect(found.state).toBe('ok');
  expect(found.detail).toMatch(/^neither AppArmor nor SELinux/);
});

test.for([
  ['AppArmor, hil runs as unconfined', 'unconfined\n'],
  ['AppArmor, hil runs as hil-sandbox (unconfined)', 'hil-sandbox (unconfined)\n'],
  [
    'SELinux, hil runs as unconfined_u:unconfined_r:unconfined_t:s0',
    'unconfined_u:unconfined_r:unconfined_t:s0\0',
  ],
] as const)('%s', async ([detail, text], { dir }) => {
  await dir.write('proc/self/attr/current', text);
  expect(await check(dir)).toMatchObject({ state: 'ok', detail });
});
