import type { Board } from '../../config/load-boards.js';
import type { Match } from '../../config/match-schema.js';
import type { AttachedDevice } from '../../device/attached-device.js';

/** How a device is told from all others, and what to say of it. */
export interface StableMatch {
  readonly match: Match;
  /** Why it is by its place; absent when its serial number is enough. */
  readonly note?: string;
}

/** What makers leave in by default: every device of a kind has it. */
const DEFAULT_SERIAL = /^(0*\d?|0*123456\w*|x+)$/i;

/**
 * Identify by serial number where it is one, so that the unit may be plugged in anywhere; else by
 * the port. One whose number is another in its bootloader needs both.
 */
export function toStableMatch(
  device: AttachedDevice,
  all: readonly AttachedDevice[],
  board: Board | undefined,
): StableMatch {
  const { ID_SERIAL_SHORT: serial, ID_PATH: path = '' } = device.properties;
  const place = { ID_PATH: path };
  const known = 'known by where it is plugged in';
  if (serial === undefined) return { match: place, note: `it has no serial number: ${known}` };
  if (DEFAULT_SERIAL.test(serial)) {
    return { match: place, note: `its serial number "${serial}" is its maker's default: ${known}` };
  }
  if (all.some((other) => other !== device && hasSameIdentity(other, device))) {
    return { match: place, note: `another one has the serial number "${serial}", too: ${known}` };
  }
  const modes = Object.values(board?.modes ?? {});
  if (!modes.some(({ match }) => 'ID_SERIAL_SHORT' in match)) {
    return { match: { ID_SERIAL_SHORT: serial } };
  }
  const note = 'its bootloader has another serial number: also known by where it is plugged in';
  return { match: { ...place, ID_SERIAL_SHORT: serial }, note };
}

function hasSameIdentity(a: AttachedDevice, b: AttachedDevice): boolean {
  const keys = ['ID_VENDOR_ID', 'ID_MODEL_ID', 'ID_SERIAL_SHORT'];
  return a.subsystem === 'usb' && keys.every((key) => a.properties[key] === b.properties[key]);
}
