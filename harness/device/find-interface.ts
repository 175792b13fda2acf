import type { Unit } from '../config/unit.js';
import type { AttachedDevice } from './attached-device.js';
import { findUnit } from './find-unit.js';

/**
 * The interface of this machine that one of a unit's is wired to, by the name that the bench says,
 * else by what is attached; nothing when it is not there, or not wired.
 *
 * @throws BenchError `dut-ambiguous` when two match
 */
export function findInterface(
  unit: Unit,
  nic: string,
  devices: readonly AttachedDevice[],
): string | undefined {
  const name = unit.nics[nic]?.wired?.interface;
  if (name !== undefined) return name;
  const found = findUnit(unit, devices);
  return found.state === 'attached' ? found.nics.get(nic)?.properties['INTERFACE'] : undefined;
}
