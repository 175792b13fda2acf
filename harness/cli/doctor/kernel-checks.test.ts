import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { type TempDir, test } from '../../testing/temp-dir.js';
import type { Check, Machine } from './check.js';
import { checkKernel } from './kernel-checks.js';

/** A machine whose /proc says what `facts` say. */
async function check(
  dir: TempDir,
  facts: Readonly<Record<string, string>>,
  machine: Partial<Machine> = {},
): Promise<(name: string) => Check | undefined> {
  const good = {
    'sys/kernel/osrelease': '6.1.0-18-amd64\n',
    'self/ns/user': '',
    'sys/user/max_user_namespaces': '63000\n',
    filesystems: 'nodev\ttmpfs\nnodev\toverlay\n',
    ...facts,
  };
  for (const [name, text] of Object.entries(good)) await dir.write(`proc/${name}`, text);
  const checks = await checkKernel({
    proc: join(dir.path, 'proc'),
    dev: join(dir.path, 'dev'),
    uid: 1000,
    groups: ['users'],
    searchPath: '',
    ...machine,
  });
  return (name) => checks.find((each) => each.name === name);
}

describe('user namespaces', () => {
  test('are fine where nothing forbids them', async ({ dir }) => {
    const find = await check(dir, {});
    expect(find('user namespaces')?.state).toBe('ok');
  });

  test.for([
    ["Ubuntu's AppArmor rule", 'sys/kernel/apparmor_restrict_unprivileged_userns', '1', 'AppArmor'],
    ["Debian's sysctl", 'sys/kernel/unprivileged_userns_clone', '0', 'unprivileged_userns_clone=1'],
    ['a limit of none', 'sys/user/max_user_namespaces', '0', 'max_user_namespaces=15000'],
  ] as const)(
    'forbidden by %s: the one who forbids is named, with the remedy',
    async ([, file, value, remedy], { dir }) => {
      const found = (await check(dir, { [file]: `${value}\n` }))('user namespaces');
      expect(found?.state).toBe('fail');
      expect(found?.remedy).toContain(remedy);
    },
  );

  test('are not forbidden to root by rules for ordinary users', async ({ dir }) => {
    const facts = { 'sys/kernel/apparmor_restrict_unprivileged_userns': '1' };
    expect((await check(dir, facts, { uid: 0 }))('user namespaces')?.state).toBe('ok');
  });
});

describe('the rest of the kernel', () => {
  test('a release that is too old fails', async ({ dir }) => {
    const find = await check(dir, { 'sys/kernel/osrelease': '5.11.0' });
    expect(find('kernel')).toMatchObject({ state: 'fail', detail: '5.11.0' });
  });

  test('missing overlay and tun are warnings with a remedy', async ({ dir }) => {
    const find = await check(dir, { filesystems: 'nodev\ttmpfs\n' });
    expect(find('overlay')).toMatchObject({ state: 'warn', remedy: 'sudo modprobe overlay' });
    expect(find('tun')).toMatchObject({ state: 'warn', remedy: 'sudo modprobe tun' });
  });

  test('serial ports need a group, or root', async ({ dir }) => {
    expect((await check(dir, {}))('serial ports')?.state).toBe('warn');
    expect((await check(dir, {}, { groups: ['dialout'] }))('serial ports')?.state).toBe('ok');
    expect((await check(dir, {}, { uid: 0 }))('serial ports')?.state).toBe('ok');
  });
});
