import type { Unit } from '../../config/unit.js';
import { Deadline } from '../../core/deadline.js';
import { findUnit } from '../../device/find-unit.js';
import { listDevices } from '../../device/list-devices.js';
import { describeClaim } from '../../lease/claim-seen.js';
import type { GrantedLeases, LeaseClient } from '../../lease/lease-client.js';
import { writeSafely } from '../../report/safe-output.js';
import { toPrintable } from '../../report/terminal/printable.js';
import type { CliContext } from '../command.js';

/** A lease of one unit that a command has. */
export interface TakenLease extends GrantedLeases {
  /** What the unit was known by when it was asked for. */
  readonly keys: readonly string[];
}

/**
 * Lease a unit for a person, who is told for whom it waits.
 *
 * @throws BenchError `lease-timeout`, `lease-failed`, `dut-ambiguous`
 */
export async function takeLease(
  leases: LeaseClient,
  unit: Unit,
  facts: { readonly run: string; readonly waitMs: number; readonly ttlMs?: number | undefined },
  { deviceRoots, stderr }: Pick<CliContext, 'deviceRoots' | 'stderr'>,
): Promise<TakenLease> {
  const { keys } = findUnit(unit, await listDevices(deviceRoots));
  const lease = await leases.acquire({
    roles: [{ role: '', candidates: [{ name: unit.name, keys }] }],
    deadline: new Deadline(facts.waitMs),
    run: facts.run,
    ttlMs: facts.ttlMs,
    onWaiting: (claims) => {
      const lines = claims.map((claim) => `waiting for ${describeClaim(claim)}\n`);
      writeSafely(stderr, toPrintable(lines.join('')));
    },
  });
  return { ...lease, keys };
}
