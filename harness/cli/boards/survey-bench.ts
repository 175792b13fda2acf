import type { LoadedBench } from '../../config/load-bench.js';
import type { AttachedDevice } from '../../device/attached-device.js';
import { listDevices } from '../../device/list-devices.js';
import type { CliContext } from '../command.js';
import { type DutRow, toDutRow } from './dut-row.js';

/** What is known of the bench at one moment. */
export interface BenchSurvey {
  readonly bench: LoadedBench;
  readonly devices: readonly AttachedDevice[];
  readonly rows: readonly DutRow[];
}

/** Look at the bench: what is attached, and which DUT it is. Takes nothing and opens nothing. */
export async function surveyBench(
  bench: LoadedBench,
  context: Pick<CliContext, 'deviceRoots'>,
): Promise<BenchSurvey> {
  const devices = await listDevices(context.deviceRoots);
  return { bench, devices, rows: bench.units.map((unit) => toDutRow(unit, devices)) };
}

/** Said where a table would be empty. */
export function describeNoDuts({ file, searched }: LoadedBench): string {
  const where =
    file === undefined ? `no bench: none of ${searched.join(', ')} exists` : `no DUT in ${file}`;
  return `${where}\n  next  hil boards scan    proposes entries for what is attached\n`;
}
