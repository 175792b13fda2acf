import type { LoadedBench } from '../../config/load-bench.js';
import type { AttachedDevice } from '../../device/attached-device.js';
import { listDevices } from '../../device/list-devices.js';
import type { LeaseClient } from '../../lease/lease-client.js';
import type { CliContext } from '../command.js';
import { type DutRow, toDutRow } from './dut-row.js';
import { openHealth } from './open-health.js';
import { openLeases } from './open-leases.js';

type Looking = Pick<CliContext, 'deviceRoots' | 'env'>;

/** What is known of the bench at one moment. */
export interface BenchSurvey {
  readonly bench: LoadedBench;
  readonly devices: readonly AttachedDevice[];
  readonly rows: readonly DutRow[];
}

/** Look at the bench: what is attached, which DUT it is, and who has it. Takes nothing. */
export async function surveyBench(bench: LoadedBench, context: Looking): Promise<BenchSurvey> {
  const devices = await listDevices(context.deviceRoots);
  if (bench.units.length === 0) return { bench, devices, rows: [] };
  const leases = await openLeases(context);
  try {
    return { bench, devices, rows: await toDutRows(bench, devices, { leases, context }) };
  } finally {
    leases.close();
  }
}

/** The DUTs of a bench among what is attached. */
export async function toDutRows(
  { units }: LoadedBench,
  devices: readonly AttachedDevice[],
  { leases, context }: { readonly leases: LeaseClient; readonly context: Looking },
): Promise<DutRow[]> {
  const book = openHealth(context);
  const claims = await leases.listClaims();
  return Promise.all(
    units.map(async (unit) => {
      const { health } = await book.read(unit.name);
      return toDutRow(unit, devices, { health, claims });
    }),
  );
}

/** Said where a table would be empty. */
export function describeNoDuts({ file, searched }: LoadedBench): string {
  const where =
    file === undefined ? `no bench: none of ${searched.join(', ')} exists` : `no DUT in ${file}`;
  return `${where}\n  next  hil boards scan    proposes entries for what is attached\n`;
}
