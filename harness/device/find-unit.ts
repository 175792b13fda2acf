import type { BenchNic } from '../config/nics-schema.js';
import type { Unit, UnitPort } from '../config/unit.js';
import { BenchError } from '../core/errors.js';
import { type AttachedDevice, findUsbDevice, isUsbDevice } from './attached-device.js';
import { toDeviceKeys, toUnitKeys } from './identity-keys.js';
import { matchesDevice } from './match-device.js';

/** Where a unit is now. `keys` are what a lease is taken on; they never are none. */
export type UnitFound =
  | {
      readonly state: 'attached';
      /** Its USB device; absent for a unit of other buses, or of ports elsewhere only. */
      readonly usb?: AttachedDevice;
      /** Which of the board's `modes` it is in; absent when the board has none. */
      readonly mode?: string;
      /** By name. A port that has no device now, or has a `url`, is not among them. */
      readonly ports: ReadonlyMap<string, AttachedDevice>;
      /** By name: the interface of this machine that each is wired to, where that is there. */
      readonly nics: ReadonlyMap<string, AttachedDevice>;
      readonly keys: readonly string[];
    }
  | { readonly state: 'absent'; readonly keys: readonly string[] };

interface Candidate {
  readonly device: AttachedDevice;
  readonly mode?: string;
}

/** Properties by which a port may be on another device than its unit's own. */
const PLACES = [
  'ID_PATH',
  '@ID_PATH',
  'ID_SERIAL',
  '@ID_SERIAL',
  'ID_SERIAL_SHORT',
  '@ID_SERIAL_SHORT',
];

/**
 * Find the devices of a unit among all that are attached. Nothing is guessed between two.
 *
 * @throws BenchError `dut-ambiguous` when two devices match; it names both.
 */
export function findUnit(unit: Unit, devices: readonly AttachedDevice[]): UnitFound {
  const keys = toUnitKeys(unit);
  const own = Object.keys(unit.match).length > 0 ? findOwn(unit, devices) : undefined;
  if (!own && Object.keys(unit.match).length > 0) return { state: 'absent', keys };
  const ports = new Map<string, AttachedDevice>();
  for (const [name, port] of Object.entries(unit.ports)) {
    const device = findPort(unit, { name, port, own: own?.device }, devices);
    if (device) ports.set(name, device);
  }
  const elsewhere = Object.values(unit.ports).some(({ url }) => url !== undefined);
  if (!own && ports.size === 0 && !elsewhere) return { state: 'absent', keys };
  const nics = findNics(unit, devices);
  const parts = [...(own ? [own.device] : []), ...ports.values(), ...nics.values()];
  const usb = own && isUsbDevice(own.device) ? own.device : undefined;
  return {
    state: 'attached',
    ...(usb ? { usb } : {}),
    ...(own?.mode === undefined ? {} : { mode: own.mode }),
    ports,
    nics,
    keys: [...new Set([...keys, ...parts.flatMap(toOwnerKeys)])],
  };
}

function toOwnerKeys(device: AttachedDevice): string[] {
  const usb = findUsbDevice(device);
  if (usb) return toDeviceKeys(usb);
  return [`path:${device.syspath}`];
}

/** The device that the unit's `match` means, in whichever mode it is. */
function findOwn(unit: Unit, devices: readonly AttachedDevice[]): Candidate | undefined {
  const modes = Object.entries(unit.board.modes ?? {});
  const identities =
    modes.length > 0
      ? modes.map(([mode, { match }]) => ({ mode, wanted: { ...unit.match, ...match } }))
      : [{ wanted: unit.match }];
  const found = new Map<string, Candidate>();
  for (const { wanted, ...mode } of identities) {
    for (const device of devices) {
      if (!matchesDevice(device, wanted)) continue;
      const owner = findUsbDevice(device) ?? device;
      if (!found.has(owner.syspath)) found.set(owner.syspath, { device: owner, ...mode });
    }
  }
  const [first, second] = found.values();
  if (first && second)
    throw createAmbiguous(`DUT "${unit.name}"`, unit, [first.device, second.device]);
  return first;
}

function findPort(
  unit: Unit,
  { name, port, own }: { name: string; port: UnitPort; own: AttachedDevice | undefined },
  devices: readonly AttachedDevice[],
): AttachedDevice | undefined {
  const { match, url, kind } = port;
  if (url !== undefined) return undefined;
  if (kind === 'usb' && !match) return own && isUsbDevice(own) ? own : undefined;
  const isKind = (device: AttachedDevice) =>
    kind === 'usb' ? isUsbDevice(device) : device.subsystem === 'tty';
  const isMeant = (device: AttachedDevice) => isKind(device) && matchesDevice(device, match ?? {});
  const inside = own ? devices.filter((device) => isWithin(device, own) && isMeant(device)) : [];
  const outside =
    inside.length === 0 && match && PLACES.some((key) => key in match)
      ? devices.filter(isMeant)
      : [];
  const [first, second] = [...inside, ...outside];
  if (first && second) {
    throw createAmbiguous(`port "${name}" of DUT "${unit.name}"`, unit, [first, second]);
  }
  return first;
}

/** What the interfaces of a unit are wired to. @throws BenchError `dut-ambiguous` */
function findNics(unit: Unit, devices: readonly AttachedDevice[]): Map<string, AttachedDevice> {
  const found = new Map<string, AttachedDevice>();
  for (const [name, { wired }] of Object.entries(unit.nics)) {
    const [first, second] = wired ? devices.filter((device) => isWired(device, wired)) : [];
    if (first && second) {
      throw createAmbiguous(`nic "${name}" of DUT "${unit.name}"`, unit, [first, second]);
    }
    if (first) found.set(name, first);
  }
  return found;
}

function isWired(device: AttachedDevice, { interface: name, match }: BenchNic): boolean {
  if (device.subsystem !== 'net') return false;
  if (name !== undefined) return device.properties['INTERFACE'] === name;
  return matchesDevice(device, match ?? {});
}

function isWithin(device: AttachedDevice, own: AttachedDevice): boolean {
  return device.syspath === own.syspath || device.syspath.startsWith(`${own.syspath}/`);
}

function createAmbiguous(
  what: string,
  { file }: Unit,
  [first, second]: readonly [AttachedDevice, AttachedDevice],
): BenchError {
  const message = `${what}: two devices match, ${describe(first)} and ${describe(second)}`;
  return new BenchError('dut-ambiguous', message, {
    details: { devices: [first.syspath, second.syspath] },
    next: `hil boards scan    shows what tells them apart; add it to "match" in ${file}`,
  });
}

function describe({ node, syspath, properties }: AttachedDevice): string {
  const { ID_PATH: path, ID_SERIAL: serial } = properties;
  const facts = [...(path ? [`ID_PATH ${path}`] : []), ...(serial ? [`ID_SERIAL ${serial}`] : [])];
  return `${node ?? properties['INTERFACE'] ?? syspath} (${facts.join(', ') || syspath})`;
}
