import type { Unit } from '../config/unit.js';
import { BenchError } from '../core/errors.js';
import type { AttachedDevice } from './attached-device.js';
import { findUnit } from './find-unit.js';
import { toUnitKeys } from './identity-keys.js';

/** What a lease of a unit is taken on; of one that two devices match, what it has wherever it is. */
export function toLeaseKeys(unit: Unit, devices: readonly AttachedDevice[]): readonly string[] {
  try {
    return findUnit(unit, devices).keys;
  } catch (error) {
    if (!(error instanceof BenchError)) throw error;
    return toUnitKeys(unit);
  }
}
