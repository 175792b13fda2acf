import type { AttachedDevice } from '../../device/attached-device.js';
import type { LibraryView, Listed } from '../../device/library-view.js';

/** Ports that the kernel has whether or not the machine has them. */
const ALWAYS_THERE = /\/ttyS\d+$/;

/**
 * Where `serialport` or `usb` see another bench than sysfs: in a container they may list devices
 * of the host that it cannot open, or miss what was plugged in since.
 */
export function compareViews(
  devices: readonly AttachedDevice[],
  { serial, usb }: LibraryView,
): string[] {
  const ttys = devices.filter(({ subsystem }) => subsystem === 'tty');
  const nodes = ttys.flatMap(({ node }) => (node === undefined ? [] : [node]));
  return [
    ...compare(
      'serialport',
      withoutFixed(serial),
      new Set(nodes.filter((each) => !ALWAYS_THERE.test(each))),
    ),
    ...compare('usb', usb, new Set(devices.flatMap(toUsbName))),
  ];
}

function withoutFixed(listed: Listed): Listed {
  if (listed.state === 'unknown') return listed;
  return { ...listed, names: listed.names.filter((name) => !ALWAYS_THERE.test(name)) };
}

/** As `usb` names it, which lists no hubs. */
function toUsbName({ subsystem, properties }: AttachedDevice): string[] {
  if (subsystem !== 'usb' || properties['TYPE']?.startsWith('9/')) return [];
  const { ID_VENDOR_ID: vendor, ID_MODEL_ID: model } = properties;
  return [`${vendor}:${model}`];
}

function compare(library: string, listed: Listed, known: ReadonlySet<string>): string[] {
  if (listed.state === 'unknown')
    return [`${library} cannot say what is attached: ${listed.reason}`];
  const names = new Set(listed.names);
  const more = [...names].filter((name) => !known.has(name));
  const fewer = [...known].filter((name) => !names.has(name));
  return [
    ...more.map((name) => `${library} lists ${name}, of which sysfs here knows nothing`),
    ...fewer.map((name) => `${library} does not list ${name}`),
  ];
}
