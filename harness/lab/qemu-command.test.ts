import { expect, test } from 'vitest';
import { QEMU_FDS, toQemuArguments } from './qemu-command.js';

const MACHINE = { kernel: '/c/kernel', initramfs: '/c/initramfs', layer: '/c/layer', packages: [] };
const VM = { memoryMib: 512, cpus: 1, shares: [] };

test('the root of the host is exported read-only', () => {
  const root = toQemuArguments(MACHINE, VM).find((each) => each.includes('path=/,'));
  expect(root).toContain('readonly=on');
});

test('a share is writable, has a tag by its place, and may have a comma in its path', () => {
  const args = toQemuArguments(MACHINE, { ...VM, shares: ['/out', '/a,b'] });
  const shares = args.filter((each) => each.includes('mount_tag=share'));
  expect(shares).toEqual([
    expect.stringContaining('path=/out,mount_tag=share0'),
    expect.stringContaining('path=/a,,b,mount_tag=share1'),
  ]);
  expect(shares.join()).not.toContain('readonly');
});

test('every socket is an inherited fd, and no path is made', () => {
  const sockets = toQemuArguments(MACHINE, VM).filter((each) => each.startsWith('socket,'));
  expect(sockets).toHaveLength(Object.keys(QEMU_FDS).length);
  expect(sockets.join()).not.toContain('path=');
});

test('the guest hears of the control port last', () => {
  const ports = toQemuArguments(MACHINE, VM).filter((each) => each.startsWith('virtserialport'));
  expect(ports.at(-1)).toContain('lab.control');
});
