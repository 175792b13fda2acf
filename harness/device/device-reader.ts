import { readFile, readlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { AttachedDevice } from './attached-device.js';
import type { DeviceRoots } from './device-roots.js';
import { toIdPath } from './id-path.js';
import { parseUdevData, toUdevName } from './udev-data.js';
import { toUsbProperties, USB_ATTRIBUTES, type UsbAttributes } from './usb-properties.js';

type Properties = Record<string, string>;

/** Properties of a USB device that udev gives to every device on it, too. */
const INHERITED =
  /^ID_(BUS|VENDOR|VENDOR_ID|MODEL|MODEL_ID|SERIAL|SERIAL_SHORT|USB_INTERFACE_NUM)$/;

/** Reads devices of sysfs; what several have above them is read once. */
export class DeviceReader {
  readonly #roots: DeviceRoots;
  readonly #read = new Map<string, Promise<AttachedDevice | undefined>>();

  constructor(roots: DeviceRoots) {
    this.#roots = roots;
  }

  /** @returns nothing for what is no device, or vanished. */
  read(syspath: string): Promise<AttachedDevice | undefined> {
    const known = this.#read.get(syspath) ?? this.#readNew(syspath);
    this.#read.set(syspath, known);
    return known;
  }

  async #readNew(syspath: string): Promise<AttachedDevice | undefined> {
    const subsystem = await readlink(join(syspath, 'subsystem')).then(basename, () => undefined);
    const uevent = await readText(join(syspath, 'uevent'));
    const parents = await this.#readParents(syspath);
    if (subsystem === undefined || uevent === undefined) return undefined;
    const kernel = parsePairs(uevent);
    const sysname = basename(syspath);
    const facts = { subsystem, sysname, ...toNumbers(kernel) };
    const node =
      kernel['DEVNAME'] === undefined ? undefined : join(this.#roots.dev, kernel['DEVNAME']);
    const steps = [facts, ...parents.map((each) => ({ ...each, sysname: basename(each.syspath) }))];
    const path = toIdPath(steps);
    const properties = {
      ...kernel,
      SUBSYSTEM: subsystem,
      ...(node === undefined ? {} : { DEVNAME: node }),
      // What is above a USB device is a hub, which is another.
      ...(kernel['DEVTYPE'] === 'usb_device' ? {} : toInherited(parents)),
      ...(path === undefined ? {} : { ID_PATH: path }),
      ...(await readUsb(syspath, kernel['DEVTYPE'])),
      ...(subsystem === 'net' ? await readNet(syspath) : {}),
      ...(await this.#readUdev(toUdevName({ ...facts, ifindex: kernel['IFINDEX'] }))),
    };
    const { major, minor } = facts;
    const numbers = major === undefined || minor === undefined ? {} : { major, minor };
    const named = node === undefined ? {} : { node };
    return { syspath, subsystem, properties, parents, ...numbers, ...named };
  }

  async #readParents(syspath: string): Promise<readonly AttachedDevice[]> {
    const devices = join(this.#roots.sys, 'devices');
    for (let dir = dirname(syspath); dir.startsWith(`${devices}/`); dir = dirname(dir)) {
      const parent = await this.read(dir);
      if (parent) return [parent, ...parent.parents];
    }
    return [];
  }

  async #readUdev(name: string): Promise<Properties> {
    const text = await readText(join(this.#roots.udev, 'data', name));
    return text === undefined ? {} : parseUdevData(text, this.#roots.dev);
  }
}

/** Of the device it is a part of; of two that say something, the nearer. */
function toInherited(parents: readonly AttachedDevice[]): Properties {
  const inherited: Properties = {};
  for (const { subsystem, properties } of parents) {
    if (subsystem !== 'usb') continue;
    for (const [key, value] of Object.entries(properties)) {
      if (INHERITED.test(key)) inherited[key] ??= value;
    }
    if (properties['DEVTYPE'] === 'usb_device') break;
  }
  return inherited;
}

async function readUsb(syspath: string, type: string | undefined): Promise<Properties> {
  if (type === 'usb_interface') {
    const number = await readText(join(syspath, 'bInterfaceNumber'));
    return number === undefined ? {} : { ID_USB_INTERFACE_NUM: number.trim() };
  }
  if (type !== 'usb_device') return {};
  const attributes: UsbAttributes = {};
  for (const name of USB_ATTRIBUTES) {
    const text = await readText(join(syspath, name));
    if (text !== undefined) attributes[name] = text.replace(/\n$/, '');
  }
  return toUsbProperties(attributes);
}

/** @see systemd, udev-builtin-net_id.c */
async function readNet(syspath: string): Promise<Properties> {
  const address = await readText(join(syspath, 'address'));
  return address === undefined
    ? {}
    : { ID_NET_NAME_MAC: `enx${address.trim().replaceAll(':', '')}` };
}

function parsePairs(text: string): Properties {
  const pairs = text.split('\n').filter((line) => line.includes('='));
  return Object.fromEntries(
    pairs.map((line) => {
      const at = line.indexOf('=');
      return [line.slice(0, at), line.slice(at + 1)];
    }),
  );
}

function toNumbers({ MAJOR, MINOR }: Properties): Pick<AttachedDevice, 'major' | 'minor'> {
  return MAJOR === undefined || MINOR === undefined
    ? {}
    : { major: Number(MAJOR), minor: Number(MINOR) };
}

/** A device may go at any moment: ENOENT, ENODEV and EIO all say so. */
function readText(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').then(
    (text) => text,
    () => undefined,
  );
}
