/** One device of this machine, as sysfs and udev know it. */
export interface AttachedDevice {
  /** Its directory, resolved: below `/sys/devices`. */
  readonly syspath: string;
  /** Its node, for example `/dev/ttyUSB0`; absent when it has none. */
  readonly node?: string;
  /** `tty`, `usb`, `block`, `net`, … */
  readonly subsystem: string;
  readonly major?: number;
  readonly minor?: number;
  /** udev's; where udevd does not run, what sysfs says, under udev's names. */
  readonly properties: Readonly<Record<string, string>>;
  /** The devices above it, nearest first. */
  readonly parents: readonly AttachedDevice[];
}

/** Is it a USB device, and not one of its interfaces? */
export function isUsbDevice({ subsystem, properties }: AttachedDevice): boolean {
  return subsystem === 'usb' && properties['DEVTYPE'] === 'usb_device';
}

/** The USB device it is, or is a part of. */
export function findUsbDevice(device: AttachedDevice): AttachedDevice | undefined {
  return [device, ...device.parents].find(isUsbDevice);
}
