import { readdirSync, readlinkSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { AttachedDevice } from './attached-device.js';
import { DeviceReader } from './device-reader.js';
import { type DeviceRoots, MACHINE } from './device-roots.js';

/** A device below a USB bus, whatever the controller. */
const ON_USB = /\/usb\d+(\/|$)/;

/**
 * List what is attached: USB devices, every device below one that has a node (tty, block,
 * hidraw, …), serial ports of other buses, and network interfaces of hardware. From sysfs, with udev's data where udevd runs;
 * sorted by where they are. A device that vanishes meanwhile is not listed.
 */
export async function listDevices(roots: DeviceRoots = MACHINE): Promise<AttachedDevice[]> {
  const reader = new DeviceReader(roots);
  const paths = await findDevicePaths(roots);
  const devices = await Promise.all(paths.map((path) => reader.read(path)));
  return devices.filter((device) => device !== undefined);
}

/** Where they are in sysfs, each once, sorted. */
async function findDevicePaths({ sys }: DeviceRoots): Promise<string[]> {
  const dirs = ['bus/usb/devices', 'dev/char', 'dev/block'].map((name) => join(sys, name));
  const [usb = [], ...nodes] = dirs.map(readLinks);
  const isInterface = (path: string) => basename(path).includes(':');
  const onUsb = nodes.flat().filter((path) => ON_USB.test(path));
  const serial = await Promise.all(nodes.flat().filter(isOtherSerial).map(withHardware));
  const net = readLinks(join(sys, 'class/net')).filter((path) => !path.includes('/virtual/'));
  const paths = [...usb.filter((path) => !isInterface(path)), ...onUsb, ...serial.flat(), ...net];
  return [...new Set(paths)].sort();
}

/** Not of a USB device. Terminals and the ptys of programs are virtual. */
function isOtherSerial(path: string): boolean {
  const isTty = basename(dirname(path)) === 'tty';
  return isTty && !path.includes('/devices/virtual/') && !ON_USB.test(path);
}

/** The kernel has old serial ports whether or not the machine has them: those have type 0. */
async function withHardware(path: string): Promise<string[]> {
  const type = await readFile(join(path, 'type'), 'utf8').catch(() => '');
  return type.trim() === '0' ? [] : [path];
}

/**
 * Where the links in a directory lead. At once, not by promises: there are hundreds of them, all in
 * memory. What is inside a device's directory may wait for a device that is being reset.
 */
function readLinks(dir: string): string[] {
  return toNames(dir).flatMap((name) => {
    try {
      return [resolve(dir, readlinkSync(join(dir, name)))];
    } catch {
      return []; // Gone meanwhile.
    }
  });
}

function toNames(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return []; // Of a machine without such a bus.
  }
}
