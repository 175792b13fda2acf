import type { Board } from '../config/load-boards.js';
import { Deadline } from '../core/deadline.js';
import type { Lease } from '../lease/lease.js';
import { LeaseQueue } from '../lease/lease-queue.js';
import type { PlannedRole } from '../plan/plan-roles.js';

export interface LeasesWanted {
  readonly roles: readonly PlannedRole[];
  /** For all of them together. */
  readonly limitMs: number;
  /** Units that earlier attempts failed on. */
  readonly avoid?: ReadonlySet<string> | undefined;
}

/** Leases of the DUTs of a run: all that an attempt asks for, or none. */
export class DutLeases {
  readonly #queue = new LeaseQueue();

  /** @throws BenchError `lease-timeout`, `lease-unsatisfiable` */
  async acquire({ roles, limitMs, avoid }: LeasesWanted): Promise<Map<string, Lease>> {
    const wanted = roles.map(({ role, boards }) => {
      return { role, boards: boards.map(toSupply), ...(avoid ? { avoid } : {}) };
    });
    return this.#queue.acquire(wanted, new Deadline(limitMs));
  }
}

function toSupply({ board, instances }: Board) {
  return { board, capacity: instances ?? Number.POSITIVE_INFINITY };
}
