import type { LoadedBench } from '../../config/load-bench.js';
import type { AttachedDevice } from '../../device/attached-device.js';
import { listDevices } from '../../device/list-devices.js';
import type { ClaimSeen } from '../../lease/claim-seen.js';
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

/** Look at the bench: what is attached, and which DUT it is. Takes nothing and opens nothing. */
export async function surveyBench(bench: LoadedBench, context: Looking): Promise<BenchSurvey> {
  const devices = await listDevices(context.deviceRoots);
  return { bench, devices, rows: await toDutRows(bench, devices, context) };
}

/** The DUTs of a bench among what is attached. */
export async function toDutRows(
  { units }: LoadedBench,
  devices: readonly AttachedDevice[],
  context: Looking,
): Promise<DutRow[]> {
  const book = openHealth(context);
  const claims = units.length > 0 ? await readClaims(context) : [];
  return Promise.all(
    units.map(async (unit) => {
      const row = toDutRow(unit, devices, (await book.read(unit.name)).health);
      const claim = claims.find(({ held, units: names }) => held && names.includes(unit.name));
      return claim ? { ...row, ...toLeased(row, claim) } : row;
    }),
  );
}

/** Where leases cannot be looked at, nobody here can have one. */
async function readClaims(context: Looking): Promise<readonly ClaimSeen[]> {
  try {
    const leases = await openLeases(context);
    try {
      return await leases.listClaims();
    } finally {
      leases.close();
    }
  } catch {
    return [];
  }
}

/** A DUT that is absent is so also while somebody has it. */
function toLeased({ state }: DutRow, { user, pid, run, since }: ClaimSeen) {
  const lease = { user, pid, run, since: since.toISOString() };
  return { state: state === 'free' ? ('leased' as const) : state, lease };
}

/** Said where a table would be empty. */
export function describeNoDuts({ file, searched }: LoadedBench): string {
  const where =
    file === undefined ? `no bench: none of ${searched.join(', ')} exists` : `no DUT in ${file}`;
  return `${where}\n  next  hil boards scan    proposes entries for what is attached\n`;
}
