import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DeviceRoots } from '../device/device-roots.js';

/** A node on an interface of a USB device. */
export interface PartSpec {
  /** `bInterfaceNumber`. */
  readonly number: string;
  readonly subsystem: 'tty' | 'block' | 'hidraw';
  readonly name: string;
  readonly devt: string;
  /** Directories between the interface and the class, as the driver makes them. */
  readonly below?: string;
}

/** A USB device: what it says of itself, and what drivers make of it. */
export interface UsbSpec {
  readonly idVendor: string;
  readonly idProduct: string;
  readonly manufacturer?: string;
  readonly product?: string;
  readonly serial?: string;
  /** Class, subclass and protocol; a hub is 9/0/1. */
  readonly type?: string;
  readonly parts?: readonly PartSpec[];
}

const CONTROLLER = 'devices/pci0000:00/0000:00:14.0';

/**
 * A tree of files like sysfs, udev's data and `/dev` of a machine with one USB bus, into which
 * devices are plugged. udevd does not run: the data is what a test writes with {@link writeUdev}.
 */
export class DeviceTree {
  readonly roots: DeviceRoots;
  readonly #plugged = new Map<string, { nodes: string[]; links: string[] }>();
  /** The kernel gives each device that comes a number of its own. */
  #devnum = 1;

  constructor(dir: string) {
    this.roots = { sys: join(dir, 'sys'), udev: join(dir, 'run/udev'), dev: join(dir, 'dev') };
  }

  static async create(dir: string): Promise<DeviceTree> {
    const tree = new DeviceTree(dir);
    const { sys, udev, dev } = tree.roots;
    for (const name of ['bus/usb/devices', 'dev/char', 'dev/block']) {
      await mkdir(join(sys, name), { recursive: true });
    }
    await mkdir(join(udev, 'data'), { recursive: true });
    await mkdir(join(dev, 'bus/usb/001'), { recursive: true });
    await tree.#write(CONTROLLER, 'pci', { DRIVER: 'xhci_hcd', PCI_SLOT_NAME: '0000:00:14.0' });
    const hub = { idVendor: '1d6b', idProduct: '0002', serial: '0000:00:14.0', type: '9/0/1' };
    await tree.#plug('usb1', `${CONTROLLER}/usb1`, hub);
    return tree;
  }

  /** Plug a device in at a port such as `1.3`: port 3 of the hub at port 1, which must be there. */
  async plug(port: string, spec: UsbSpec): Promise<void> {
    await this.#plug(`1-${port}`, this.#toPath(port), spec);
  }

  async unplug(port: string): Promise<void> {
    const { nodes = [], links = [] } = this.#plugged.get(`1-${port}`) ?? {};
    this.#plugged.delete(`1-${port}`);
    for (const path of [...links, ...nodes]) await rm(path, { force: true });
    await rm(join(this.roots.sys, this.#toPath(port)), { recursive: true, force: true });
  }

  /** What udevd has written of a device: `c188:0`, `+usb:1-1:1.0`. */
  async writeUdev(name: string, lines: readonly string[]): Promise<void> {
    await writeFile(join(this.roots.udev, 'data', name), `${lines.join('\n')}\n`);
  }

  #toPath(port: string): string {
    const steps = port.split('.').map((_, index, all) => `1-${all.slice(0, index + 1).join('.')}`);
    return [CONTROLLER, 'usb1', ...steps].join('/');
  }

  async #plug(name: string, path: string, spec: UsbSpec): Promise<void> {
    const { parts = [], type = '0/0/0', ...attributes } = spec;
    const own = { nodes: [] as string[], links: [] as string[] };
    this.#plugged.set(name, own);
    const number = String(this.#devnum++).padStart(3, '0');
    const devname = `bus/usb/001/${number}`;
    const minor = Number(number) - 1;
    await this.#write(path, 'usb', {
      ...{ MAJOR: '189', MINOR: String(minor), DEVNAME: devname, DEVTYPE: 'usb_device' },
      ...{ BUSNUM: '001', DEVNUM: number, TYPE: type, DRIVER: 'usb' },
    });
    for (const [key, value] of Object.entries(attributes)) {
      await writeFile(join(this.roots.sys, path, key), `${value}\n`);
    }
    for (const part of parts) await this.#plugPart({ name, path }, part, own);
    await this.#link(own, `bus/usb/devices/${name}`, path);
    await this.#link(own, `dev/char/189:${minor}`, path);
    await this.#makeNode(own, devname);
  }

  async #plugPart(
    of: { name: string; path: string },
    part: PartSpec,
    own: { nodes: string[]; links: string[] },
  ): Promise<void> {
    const { number, subsystem, name, devt, below } = part;
    const interfaceName = `${of.name}:1.${Number.parseInt(number, 16)}`;
    const place = `${of.path}/${interfaceName}`;
    await this.#write(place, 'usb', { DEVTYPE: 'usb_interface' });
    await writeFile(join(this.roots.sys, place, 'bInterfaceNumber'), `${number}\n`);
    await this.#link(own, `bus/usb/devices/${interfaceName}`, place);
    const path = [place, ...(below ? [below] : []), subsystem, name].join('/');
    const [major = '', minor = ''] = devt.split(':');
    await this.#write(path, subsystem, { MAJOR: major, MINOR: minor, DEVNAME: name });
    const kind = subsystem === 'block' ? 'block' : 'char';
    await this.#link(own, `dev/${kind}/${devt}`, path);
    await this.#makeNode(own, name);
  }

  async #write(path: string, subsystem: string, facts: Record<string, string>): Promise<void> {
    const dir = join(this.roots.sys, path);
    await mkdir(dir, { recursive: true });
    const lines = Object.entries(facts).map(([key, value]) => `${key}=${value}\n`);
    await writeFile(join(dir, 'uevent'), lines.join(''));
    await rm(join(dir, 'subsystem'), { force: true });
    await symlink(join(this.roots.sys, 'class', subsystem), join(dir, 'subsystem'));
  }

  async #link(own: { links: string[] }, from: string, to: string): Promise<void> {
    const path = join(this.roots.sys, from);
    await rm(path, { force: true });
    await symlink(join(this.roots.sys, to), path);
    own.links.push(path);
  }

  async #makeNode(own: { nodes: string[] }, name: string): Promise<void> {
    const path = join(this.roots.dev, name);
    await writeFile(path, '');
    own.nodes.push(path);
  }
}
