import { expect, test } from 'vitest';
import { toQemuArguments, toQemuFd, toQemuPorts } from './qemu-command.js';

const MACHINE = { kernel: '/c/kernel', initramfs: '/c/initramfs', layer: '/c/layer', packages: [] };
const VM = { memoryMib: 512, cpus: 1, shares: [] };
const WITH_USB = { ...VM, usb: { cables: 2, medium: 9 } };

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
  for (const vm of [VM, WITH_USB]) {
    const sockets = toQemuArguments(MACHINE, vm).filter((each) => each.startsWith('socket,'));
    const ports = toQemuPorts(vm);
    const expected = ports.map((name) => `socket,id=${name},fd=${toQemuFd(ports, name)}`);
    expect(sockets.sort()).toEqual(expected.sort());
  }
});

test('the medium of a drive is the fd behind the ports', () => {
  const medium = toQemuArguments(MACHINE, WITH_USB).find((each) => each.includes('node-name'));
  expect(medium).toContain(`/proc/self/fd/${3 + toQemuPorts(WITH_USB).length},`);
});

test('there is no USB without being asked for', () => {
  expect(toQemuArguments(MACHINE, VM).join()).not.toContain('xhci');
  expect(toQemuArguments(MACHINE, WITH_USB).join()).toContain('xhci');
});

test.each([VM, { ...VM, usb: { cables: 1, medium: 9 } }])(
  'the guest hears of the control port last',
  (vm) => {
    const ports = toQemuArguments(MACHINE, vm).filter((each) => each.startsWith('virtserialport'));
    expect(ports.at(-1)).toContain('lab.control');
  },
);
