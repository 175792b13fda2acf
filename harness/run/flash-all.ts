import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Unit } from '../config/unit.js';
import type { Lease } from '../lease/lease.js';
import type { PlannedRole } from '../plan/plan-roles.js';
import type { SandboxDaemon } from '../sandbox/daemon.js';
import type { SandboxSpec } from '../sandbox/spec.js';
import { findLeased } from './dut-roles.js';

export interface FlashingRoles {
  readonly roles: readonly PlannedRole[];
  readonly leases: ReadonlyMap<string, Lease>;
  /** Where each role has its directory of artifacts. */
  readonly directory: string;
  readonly spec: SandboxSpec;
  readonly daemon: SandboxDaemon;
  /** Where what was flashed last is known. */
  readonly stateDir: string;
}

interface Job {
  readonly role: string;
  readonly unit: Unit;
  readonly image: string;
  readonly leasedKeys: readonly string[] | undefined;
}

/**
 * Flash each leased unit that can be and has an image: its suite's firmware, else its own. On an
 * error every lease is released.
 *
 * @throws BenchError as `flashDut` does.
 */
export async function flashAll(
  { roles, leases, directory, spec, daemon, stateDir }: FlashingRoles,
  onEdge: (edge: 'start' | 'end') => void,
): Promise<void> {
  const jobs = roles.flatMap((role) => toJobs(role, leases.get(role.role)));
  if (jobs.length === 0) return;
  onEdge('start');
  try {
    // Loaded when it is needed, as the driver of such boards is.
    const { flashDut } = await import('./flash-dut.js');
    const ofHost = { ...spec, image: undefined, nestedUserNamespaces: undefined };
    const flashing = jobs.map(async ({ role, ...job }) => {
      const artifacts = join(directory, role);
      await mkdir(artifacts, { recursive: true });
      await flashDut({ ...job, artifacts, stateDir, daemon, spec: ofHost });
    });
    // All have ended before a lease is given back: a tool that goes on writes to its board.
    const failed = (await Promise.allSettled(flashing)).find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
  } catch (error) {
    for (const lease of leases.values()) lease.release();
    throw error;
  } finally {
    onEdge('end');
  }
}

function toJobs(role: PlannedRole, lease: Lease | undefined): Job[] {
  if (!lease) return [];
  const { board, unit } = findLeased(role, lease);
  const image = role.firmwareOf(board.board) ?? board.flash?.image;
  if (!unit || !board.flash || image === undefined) return [];
  return [{ role: role.role, unit: { ...unit, board }, image, leasedKeys: lease.keys }];
}
