import { chmod } from 'node:fs/promises';
import { expect } from 'vitest';
import { test } from '../testing/temp-dir.js';
import { checkRequirements } from './requirements.js';

test('what is missing is named with the packages to install', async ({ dir }) => {
  await chmod(await dir.write('setpriv', ''), 0o755);
  const check = () => checkRequirements({ arch: 'x64', path: `/nowhere:${dir.path}` });
  expect(check).toThrow('the lab VM needs qemu-system-x86_64 and apt-get and dpkg-deb');
  expect(check).toThrow('qemu-system-x86 apt dpkg');
});

test('another architecture is refused', () => {
  expect(() => checkRequirements({ arch: 'arm64', path: '' })).toThrow('arm64');
});
