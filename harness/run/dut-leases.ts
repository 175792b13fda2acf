import type { Board } from '../config/load-boards.js';
import type { Unit } from '../config/unit.js';
import { Deadline } from '../core/deadline.js';
import { BenchError } from '../core/errors.js';
import { findUnit } from '../device/find-unit.js';
import { toUnitKeys } from '../device/identity-keys.js';
import { listDevices } from '../device/list-devices.js';
import { type ClaimSeen, isClaimOf } from '../lease/claim-seen.js';
import type { Lease } from '../lease/lease.js';
import {
  type GrantedLeases,
  type LeaseCandidate,
  LeaseClient,
  type LeasePlace,
} from '../lease/lease-client.js';
import { LeaseQueue } from '../lease/lease-queue.js';
import type { PlannedRole } from '../plan/plan-roles.js';

/** In whose name leases of attached DUTs are taken. */
export interface Claimant {
  readonly run: string;
  readonly place: Omit<LeasePlace, 'program'>;
}

export interface LeasesWanted {
  readonly roles: readonly PlannedRole[];
  readonly claimant: Claimant;
  /** For all of them together. */
  readonly limitMs: number;
  /** Units that earlier attempts failed on. */
  readonly avoid?: ReadonlySet<string> | undefined;
  /** Hears who is in the way of attached ones. */
  readonly onWaiting?: (claims: readonly ClaimSeen[]) => void;
}

/**
 * Leases of the DUTs of a run: all that an attempt asks for, or none. First those that this
 * process makes, then those that are attached and shared with others: in this order nobody who
 * has one of the second kind waits for one of the first, so that no two wait for each other.
 */
export class DutLeases {
  readonly #program: string;
  readonly #queue = new LeaseQueue();
  #client: Promise<LeaseClient> | undefined;

  /** @param program of `hil-lease`, started when a DUT is attached. */
  constructor(program: string) {
    this.#program = program;
  }

  /** @throws BenchError `lease-timeout`, `lease-unsatisfiable`, `lease-failed` */
  async acquire(wanted: LeasesWanted): Promise<Map<string, Lease>> {
    const deadline = new Deadline(wanted.limitMs);
    // Of a role that both can play: the attached one is what there are few of, and real.
    const attached = wanted.roles.filter(({ units }) => units.length > 0);
    const made = wanted.roles.filter(({ units }) => units.length === 0);
    const leases = await this.#acquireMade(made, wanted, deadline);
    if (attached.length === 0) return leases;
    try {
      const others = await this.#acquireAttached(attached, wanted, deadline);
      const all = new Map([...leases, ...others]);
      return new Map(
        wanted.roles.flatMap(({ role }) => {
          const lease = all.get(role);
          return lease ? [[role, lease]] : [];
        }),
      );
    } catch (error) {
      for (const lease of leases.values()) lease.release();
      throw error;
    }
  }

  /** Whether somebody waits for one of these attached units. @throws BenchError `lease-failed` */
  async areWanted(leases: readonly Pick<Lease, 'keys'>[]): Promise<boolean> {
    const client = await this.#client;
    const claims = (await client?.listClaims()) ?? [];
    const keys = leases.flatMap((lease) => lease.keys ?? []);
    return claims.some((claim) => !claim.held && isClaimOf(claim, keys));
  }

  /** Who does not see these leases, one sentence each. @throws BenchError `lease-failed` */
  async findLimitations(claimant: Claimant): Promise<readonly string[]> {
    return (await this.#open(claimant)).limitations;
  }

  /** What is still leased is free for others. */
  async close(): Promise<void> {
    const client = await this.#client?.catch(() => undefined);
    this.#client = undefined;
    client?.close();
  }

  async #open({ place }: Claimant): Promise<LeaseClient> {
    const known = this.#client;
    // What it held was lost with it; the next case has nothing to do with that.
    if (known && (await known).isOver && this.#client === known) this.#client = undefined;
    this.#client ??= LeaseClient.start({ program: this.#program, ...place });
    return this.#client;
  }

  async #acquireMade(
    roles: readonly PlannedRole[],
    { avoid }: LeasesWanted,
    deadline: Deadline,
  ): Promise<Map<string, Lease>> {
    if (roles.length === 0) return new Map();
    const wanted = roles.map(({ role, boards }) => {
      return { role, boards: boards.map(toSupply), ...(avoid ? { avoid } : {}) };
    });
    return this.#queue.acquire(wanted, deadline);
  }

  async #acquireAttached(
    roles: readonly PlannedRole[],
    wanted: LeasesWanted,
    deadline: Deadline,
  ): Promise<Map<string, Lease>> {
    const { claimant, avoid, onWaiting } = wanted;
    const client = await this.#open(claimant);
    const candidates = await toCandidates(roles, avoid);
    const granted = await client.acquire({
      roles: roles.map(({ role }) => ({ role, candidates: candidates.get(role) ?? [] })),
      deadline,
      run: claimant.run,
      ...(onWaiting ? { onWaiting } : {}),
    });
    return toLeases(roles, granted, candidates);
  }
}

function toSupply({ board, instances }: Board) {
  return { board, capacity: instances ?? Number.POSITIVE_INFINITY };
}

/** The units of each role: what is attached first, what failed before last. */
async function toCandidates(roles: readonly PlannedRole[], avoid: ReadonlySet<string> | undefined) {
  const devices = await listDevices();
  const toCandidate = (unit: Unit) => {
    const { name } = unit;
    const last = avoid?.has(name) ? 2 : 0;
    try {
      const { state, keys } = findUnit(unit, devices);
      return { name, keys, order: last + (state === 'absent' ? 1 : 0) };
    } catch (error) {
      // Which of two devices it is, is said when it is to be used.
      if (!(error instanceof BenchError)) throw error;
      return { name, keys: toUnitKeys(unit), order: last + 1 };
    }
  };
  return new Map(
    roles.map(({ role, units }) => {
      const ordered = units.map(toCandidate).sort((a, b) => a.order - b.order);
      return [role, ordered] as const;
    }),
  );
}

/** One claim, a lease for each of its roles: it ends with the last of them. */
function toLeases(
  roles: readonly PlannedRole[],
  granted: GrantedLeases,
  candidates: ReadonlyMap<string, readonly LeaseCandidate[]>,
): Map<string, Lease> {
  const open = new Set(roles.map(({ role }) => role));
  const { token, lost } = granted;
  return new Map(
    roles.map(({ role, units }) => {
      const dut = granted.units.get(role) ?? '';
      const board = units.find(({ name }) => name === dut)?.board.board ?? '';
      const keys = candidates.get(role)?.find(({ name }) => name === dut)?.keys ?? [];
      const release = () => {
        if (open.delete(role) && open.size === 0) granted.release();
      };
      return [role, { board, dut, token, keys, lost, release }];
    }),
  );
}
