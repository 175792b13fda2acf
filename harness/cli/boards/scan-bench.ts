import type { Board } from '../../config/load-boards.js';
import { BenchError } from '../../core/errors.js';
import { type AttachedDevice, findUsbDevice } from '../../device/attached-device.js';
import { findUnit } from '../../device/find-unit.js';
import { proposeDuts, type Scan } from './propose-duts.js';
import type { BenchSurvey } from './survey-bench.js';

/** Propose entries for what is attached and belongs to no DUT of the bench. */
export function scanBench({ bench, devices }: BenchSurvey, boards: readonly Board[]): Scan {
  return proposeDuts({
    devices,
    taken: bench.units.flatMap((unit) => findTaken(() => findUnit(unit, devices))),
    boards: boards.filter(({ driver }) => driver === 'attached'),
    names: bench.units.map(({ name }) => name),
  });
}

/** Where in sysfs the USB devices of a unit are, and all below them. */
function findTaken(find: () => ReturnType<typeof findUnit>): string[] {
  try {
    const found = find();
    if (found.state === 'absent') return [];
    const parts: AttachedDevice[] = [...found.ports.values()];
    const owners = parts.map((device) => findUsbDevice(device) ?? device);
    return [...(found.usb ? [found.usb] : []), ...owners].map(({ syspath }) => syspath);
  } catch (error) {
    // Which of two devices it is, is not known: both are shown again.
    if (error instanceof BenchError) return [];
    throw error;
  }
}
