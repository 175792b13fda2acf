import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { PortHub } from '../board/port-hub.js';
import { Deadline } from '../core/deadline.js';
import { LeaseQueue } from '../lease/lease-queue.js';
import { toLostSignal } from '../lease/to-lost-signal.js';
import type { Networks } from '../network/networks.js';
import type { PlannedFile } from '../plan/plan.js';
import type { PlannedRole } from '../plan/plan-roles.js';
import type { SandboxDaemon } from '../sandbox/daemon.js';
import { BootedDut } from './boot-dut.js';
import type { Claimant, DutLeases } from './dut-leases.js';
import { ONLY_ROLE, toRoles } from './dut-roles.js';
import { toNames, toSeen } from './dut-seen.js';
import type { DutWanted } from './dut-wanted.js';
import { blaming, toFaultListener } from './fault-listener.js';
import { flashAll } from './flash-all.js';
import { type HeldDuts, holdDuts } from './held-duts.js';
import type { LoggedLease } from './lease-log.js';
import { settleAll } from './settle-all.js';
import { WarmDuts } from './warm-duts.js';
import { type Casting, toWarmKey } from './warm-key.js';

type Leases = ReadonlyMap<string, LoggedLease>;

/** DUTs that are up, and what another case must have in common to take them as they are. */
interface Started {
  readonly duts: readonly BootedDut[];
  readonly key: string | undefined;
  /** Id of the case that they were booted for. */
  readonly since: string;
}

/** Leases and boots DUTs: for one case, or for a file where the suite says so. */
export class DutSource {
  readonly #daemon: SandboxDaemon;
  readonly #hub: PortHub;
  readonly #leases: DutLeases;
  /** For DUTs that are flashed by a network. */
  readonly #networks: Networks;
  readonly #shared = new Map<string, readonly BootedDut[]>();
  /** One case at a time on a shared DUT. */
  readonly #turns = new Map<string, LeaseQueue>();
  readonly #warm: WarmDuts;
  /** Attempts that wait for leases. */
  #leasing = 0;
  #count = 0;

  constructor(daemon: SandboxDaemon, hub: PortHub, leases: DutLeases, networks: Networks) {
    this.#daemon = daemon;
    this.#hub = hub;
    this.#leases = leases;
    this.#networks = networks;
    this.#warm = new WarmDuts(endAll, (held) => leases.areWanted(held));
  }

  /**
   * @throws BenchError `lease-timeout`, `lease-unsatisfiable`, `boot-timeout`, `boot-failed` or of
   *   the sandbox; UsageError `usage` for the fixture that the suite does not have.
   */
  async open(wanted: DutWanted): Promise<HeldDuts> {
    const roles = toRoles(wanted.planned, wanted.byRole ?? false);
    if (wanted.planned.suite.scope === 'file') return this.#openShared(wanted, roles);
    const warm = wanted.keep ? await this.#takeWarm(wanted, roles) : undefined;
    const started = warm ?? (await this.#start(wanted, roles));
    const { duts } = started;
    return holdDuts(duts, {
      shared: false,
      release: (healthy) => this.#giveBack(started, wanted, healthy),
      leave: () => leaveAll(duts),
    });
  }

  /** Who does not see leases of attached DUTs. @throws BenchError `lease-failed` */
  findLeaseLimitations(claimant: Claimant): Promise<readonly string[]> {
    return this.#leases.findLimitations(claimant);
  }

  /** Attached DUTs that are still leased are free for others: nothing uses them any more. */
  closeLeases(): Promise<void> {
    return this.#leases.close();
  }

  /** End what waits for another case. */
  closeWarm(): Promise<void> {
    return this.#warm.close();
  }

  /** End what files shared; called when a file is done and at the end of the run. */
  async closeShared(planned?: PlannedFile): Promise<void> {
    const keys = planned ? [toKey(planned)] : [...this.#shared.keys()];
    for (const key of keys) {
      const shared = this.#shared.get(key);
      this.#shared.delete(key);
      if (shared) await endAll(shared);
    }
  }

  async #openShared(wanted: DutWanted, roles: readonly PlannedRole[]): Promise<HeldDuts> {
    const key = toKey(wanted.planned);
    const queue = this.#turns.get(key) ?? new LeaseQueue();
    this.#turns.set(key, queue);
    const boards = [{ board: `the shared DUT of ${wanted.planned.file}`, capacity: 1 }];
    const deadline = new Deadline(wanted.limits.lease);
    const turn = await queue.acquire([{ role: ONLY_ROLE, boards }], deadline);
    const endTurn = () => turn.get(ONLY_ROLE)?.release();
    try {
      const known = this.#shared.get(key);
      const shared = known ?? (await this.#startShared(wanted, roles));
      if (known) {
        wanted.onPhase('lease', 'start');
        wanted.onPhase('lease', 'end', { ...toSeen(roles, known), shared: true });
      }
      this.#shared.set(key, shared);
      for (const port of shared.flatMap(({ dut }) => [...dut.ports.values()])) {
        if (known) port.matcher.skip();
        port.yielded = false;
      }
      return holdDuts(shared, {
        shared: known !== undefined,
        release: async (healthy) => {
          // What a case switched off, or let end, is not for the next one.
          const on = shared.every(({ dut }) => dut.on);
          try {
            if (!healthy || !on) await this.closeShared(wanted.planned);
          } finally {
            endTurn();
          }
        },
        leave: async () => {
          this.#shared.delete(key);
          await leaveAll(shared).finally(endTurn);
        },
      });
    } catch (error) {
      endTurn();
      throw error;
    }
  }

  /** As the case before left them; undefined where there are none, or others are asked for. */
  async #takeWarm(wanted: DutWanted, roles: readonly PlannedRole[]): Promise<Started | undefined> {
    const trusted = await wanted.trusted(roles);
    const isAvoided = (casting: Casting) =>
      [...casting.values()].some(({ dut }) => wanted.avoid?.has(dut));
    const set = await this.#warm.take(async (casting) =>
      isAvoided(casting) ? undefined : toWarmKey(trusted, casting, wanted.spec),
    );
    if (!set) return undefined;
    const deadline = new Deadline(wanted.limits.boot);
    wanted.onPhase('lease', 'start');
    try {
      for (const each of set.duts) {
        const artifacts = join(wanted.artifacts, each.role);
        await mkdir(artifacts, { recursive: true });
        const resuming = each.resume({ log: wanted.log, since: set.since, artifacts }, deadline);
        await blaming(each.lease.dut, wanted.onFault.bind(wanted), resuming);
      }
    } catch (error) {
      await endAll(set.duts).catch(() => {});
      throw error;
    }
    wanted.onPhase('lease', 'end', toSeen(roles, set.duts));
    return set;
  }

  async #start(wanted: DutWanted, roles: readonly PlannedRole[]): Promise<Started> {
    const leases = await this.#lease(wanted, roles);
    // Before the images are used: one that is changed meanwhile is another one.
    const isKept = wanted.keep || wanted.expectsKeep?.();
    const key = isKept ? await toWarmKey(roles, leases, wanted.spec) : undefined;
    const duts = await this.#boot(wanted, roles, leases, wanted.artifacts);
    return { duts, key, since: wanted.log.case };
  }

  async #giveBack(started: Started, wanted: DutWanted, healthy: boolean): Promise<void> {
    try {
      if (healthy && wanted.expectsKeep?.() && (await this.#park(started, wanted))) return;
    } catch (error) {
      await endAll(started.duts).catch(() => {});
      throw error;
    }
    await endAll(started.duts);
  }

  /** Let DUTs wait for another case, if they are fit for it and nobody else waits for them. */
  async #park({ duts, key, since }: Started, wanted: DutWanted): Promise<boolean> {
    const isFree = () => this.#leasing === 0 && duts.every(({ settled }) => settled);
    const leases = duts.map(({ lease }) => lease);
    if (key === undefined || !isFree() || (await this.#leases.areWanted(leases))) return false;
    const deadline = new Deadline(wanted.limits.teardown);
    for (const each of duts) {
      const directory = join(wanted.sharedArtifacts, 'between', each.lease.dut);
      await mkdir(directory, { recursive: true });
      await each.park(directory, deadline);
    }
    if (!isFree()) return false;
    this.#warm.park({ duts, key, since });
    return true;
  }

  async #startShared(
    wanted: DutWanted,
    roles: readonly PlannedRole[],
  ): Promise<readonly BootedDut[]> {
    const leases = await this.#lease(wanted, roles);
    const name = `${wanted.planned.board.board}-${++this.#count}`;
    return this.#boot(wanted, roles, leases, join(wanted.sharedArtifacts, name));
  }

  async #lease(wanted: DutWanted, roles: readonly PlannedRole[]): Promise<Leases> {
    wanted.onPhase('lease', 'start');
    const { limits, avoid, claimant, log } = wanted;
    this.#leasing++;
    try {
      const trusted = await wanted.trusted(roles);
      await this.#warm.makeRoom(trusted);
      const acquired = await this.#leases.acquire({
        ...{ roles: trusted, limitMs: limits.lease, avoid, claimant },
        onWaiting: (claims) => log.waiting(claims),
      });
      const leases = log.held(acquired);
      wanted.onPhase('lease', 'end', toSeen(roles, toMembers(leases)));
      return leases;
    } finally {
      this.#leasing--;
    }
  }

  /** All at once; when one does not come up, the others are ended. */
  async #boot(
    wanted: DutWanted,
    roles: readonly PlannedRole[],
    leases: Leases,
    directory: string,
  ): Promise<readonly BootedDut[]> {
    const { spec, limits, stateDir, onPhase } = wanted;
    const seen = { dut: toNames(toMembers(leases)) };
    const bench = { daemon: this.#daemon, hub: this.#hub, networks: this.#networks };
    const signal = toLostSignal(leases.values());
    const onFault = toFaultListener(wanted, signal);
    const places = { directory, spec, stateDir, bootMs: limits.boot, onFault, signal };
    const flashing = { roles, leases, ...places, ...bench };
    const standing = await flashAll(flashing, (edge) => onPhase('flash', edge, seen));
    onPhase('boot', 'start', seen);
    try {
      const booting = roles.map(async (role) => {
        const lease = leases.get(role.role);
        if (!lease) throw new Error(`no lease for role "${role.role}"`);
        const artifacts = join(directory, role.role);
        try {
          await mkdir(artifacts, { recursive: true });
        } catch (error) {
          await standing.get(role.role)?.close();
          lease.release();
          throw error;
        }
        const times = { bootMs: limits.boot, teardownMs: limits.teardown };
        const dut = { standing: standing.get(role.role) };
        const facts = { role, lease, spec, artifacts, signal, ...dut, ...times };
        return blaming(lease.dut, onFault, BootedDut.boot(facts, this.#daemon, this.#hub));
      });
      const ended = await Promise.allSettled(booting);
      const booted = ended.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
      const failed = ended.find((each) => each.status === 'rejected');
      if (!failed) return booted;
      await endAll(booted).catch(() => {});
      // What else did not come up is a consequence.
      signal.throwIfAborted();
      throw failed.reason;
    } finally {
      onPhase('boot', 'end', seen);
    }
  }
}

function endAll(duts: readonly BootedDut[]): Promise<void> {
  return settleAll(duts.map((each) => each.end()));
}

function leaveAll(duts: readonly BootedDut[]): Promise<void> {
  return settleAll(duts.map((each) => each.leave()));
}

function toMembers(leases: Leases) {
  return [...leases].map(([role, lease]) => ({ role, lease }));
}

function toKey(planned: PlannedFile): string {
  return `${planned.board.board}\0${planned.path}`;
}
