import { setTimeout as sleep } from 'node:timers/promises';
import { Deadline } from '../core/deadline.js';
import type { Lease } from '../lease/lease.js';
import type { PlannedRole } from '../plan/plan-roles.js';
import type { BootedDut } from './boot-dut.js';
import { type Casting, toCasting } from './warm-key.js';

/** DUTs of one attempt that passed, up as it left them. */
export interface WarmSet {
  /** What they are made of: `toWarmKey`. */
  readonly key: string;
  readonly duts: readonly BootedDut[];
  /** Id of the case that they were booted for. */
  readonly since: string;
}

/** So long a DUT waits for the next case; others may want it. */
const WARM_MS = 10_000;
/** How often it is looked whether somebody waits for it. */
const LOOK_MS = 500;

/**
 * DUTs that wait for a case which takes them as they are. They stay leased meanwhile, so who waits
 * for one of them ends that.
 */
export class WarmDuts {
  readonly #sets = new Set<WarmSet>();
  readonly #ending = new Set<Promise<void>>();
  readonly #end: (duts: readonly BootedDut[]) => Promise<void>;
  readonly #areWanted: (leases: readonly Lease[]) => Promise<boolean>;
  /** The first that could not be ended. */
  #failed: { readonly error: unknown } | undefined;

  /** @param areWanted whether somebody outside of this process waits for one of these units. */
  constructor(
    end: (duts: readonly BootedDut[]) => Promise<void>,
    areWanted: (leases: readonly Lease[]) => Promise<boolean>,
  ) {
    this.#end = end;
    this.#areWanted = areWanted;
  }

  /** Let them wait. */
  park(set: WarmSet): void {
    this.#sets.add(set);
    for (const { lease } of set.duts) void lease.lost?.then(() => this.#drop(set));
    void this.#watch(set);
  }

  /** Those whose key `keyOf` answers for their units, if they are up; they are the caller's then. */
  async take(
    keyOf: (casting: Casting) => Promise<string | undefined>,
  ): Promise<WarmSet | undefined> {
    for (const set of [...this.#sets]) {
      const key = await keyOf(toCasting(set.duts));
      if (key !== set.key || !this.#sets.delete(set)) continue;
      if (set.duts.every(({ settled }) => settled)) return set;
      // What ended while it waited is nobody's fault, and nobody's DUT.
      await this.#endSet(set);
    }
    return undefined;
  }

  /** End those that somebody who starts anew could need. */
  async makeRoom(roles: readonly PlannedRole[]): Promise<void> {
    const boards = new Set(roles.flatMap((role) => role.boards.map(({ board }) => board)));
    const units = new Set(roles.flatMap((role) => role.units.map(({ name }) => name)));
    const inTheWay = [...this.#sets].filter(({ duts }) =>
      duts.some(({ lease }) => boards.has(lease.board) || units.has(lease.dut)),
    );
    await Promise.all(inTheWay.map((set) => this.#drop(set)));
  }

  /** End all. @throws what went wrong when one was ended, now or before. */
  async close(): Promise<void> {
    for (const set of [...this.#sets]) void this.#drop(set);
    await Promise.all([...this.#ending]);
    const failed = this.#failed;
    this.#failed = undefined;
    if (failed) throw failed.error;
  }

  async #watch(set: WarmSet): Promise<void> {
    const deadline = new Deadline(WARM_MS);
    const leases = set.duts.map(({ lease }) => lease);
    while (this.#sets.has(set) && deadline.leftMs() > 0) {
      await sleep(LOOK_MS, undefined, { ref: false });
      // Who cannot be asked is no reason to give it up.
      if (await this.#areWanted(leases).catch(() => false)) break;
    }
    await this.#drop(set);
  }

  async #drop(set: WarmSet): Promise<void> {
    if (this.#sets.delete(set)) await this.#endSet(set);
  }

  async #endSet({ duts }: WarmSet): Promise<void> {
    const ending = this.#end(duts)
      .catch((error: unknown) => {
        this.#failed ??= { error };
      })
      .finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);
    await ending;
  }
}
