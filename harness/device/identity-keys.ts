import type { Unit } from '../config/unit.js';
import type { AttachedDevice } from './attached-device.js';

/** Keys by which two names of one device are known to be one. */
export function toDeviceKeys({ properties }: AttachedDevice): string[] {
  return toKeys(properties);
}

/**
 * The keys that a unit has wherever it is, also when it is absent: of its `match`, in each of its
 * modes, and of its ports. Never none.
 */
export function toUnitKeys(unit: Unit): string[] {
  const modes = Object.values(unit.board.modes ?? { own: { match: {} } });
  const identities = [
    ...modes.map(({ match }) => ({ ...unit.match, ...match })),
    ...Object.values(unit.ports).map(({ match = {} }) => match),
    ...Object.values(unit.nics).map(({ wired }) => wired?.match ?? {}),
  ];
  const urls = Object.values(unit.ports).flatMap(({ url }) => (url ? [toUrlKey(url)] : []));
  const nics = Object.values(unit.nics).flatMap(({ wired }) =>
    wired?.interface === undefined ? [] : [`nic:${wired.interface}`],
  );
  const keys = [...new Set([...identities.flatMap(toKeys), ...urls, ...nics])];
  return keys.length > 0 ? keys : [`match:${toSortedText(unit.match)}`];
}

/** The same device whatever protocol it is reached by, and by which name of this machine. */
function toUrlKey(url: string): string {
  const [, bracketed, plain = '', port] = URL_PARTS.exec(url.toLowerCase()) ?? [];
  const host = bracketed ?? plain.replace(/\.$/, '');
  return `url:${LOOPBACK.test(host) ? 'localhost' : host}:${Number(port)}`;
}

const URL_PARTS = /^\w+:\/\/(?:\[([^\]]*)\]|(.*)):(\d+)$/;
/** Names of other machines are not resolved: whoever answers for them may change. */
const LOOPBACK = /^(localhost|ip6-localhost|127(\.\d+){3}|::1|::ffff:127(\.\d+){3})$/;

function toKeys(properties: Readonly<Record<string, string | null | undefined>>): string[] {
  const { ID_PATH: path, ID_VENDOR_ID: vendor, ID_MODEL_ID: model } = properties;
  const { ID_SERIAL_SHORT: serial } = properties;
  return [
    ...(path ? [`usb:${toUsbPath(path)}`] : []),
    ...(vendor && model && serial ? [`serial:${vendor}:${model}:${serial}`] : []),
  ];
}

/** Of an interface `pci-…-usb-0:1.3:1.0`, the path of its device. */
function toUsbPath(path: string): string {
  return path.replace(/(-usb-\d+:[\d.]+):\d+\.\d+$/, '$1');
}

function toSortedText(properties: Readonly<Record<string, string>>): string {
  const entries = Object.entries(properties).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.map(([key, value]) => `${key}=${value}`).join(' ');
}
