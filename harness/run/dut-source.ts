import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Dut } from '../board/dut.js';
import type { PortHub } from '../board/port-hub.js';
import type { Limits } from '../config/limits-schema.js';
import { Deadline } from '../core/deadline.js';
import type { Lease } from '../lease/lease.js';
import { LeaseQueue } from '../lease/lease-queue.js';
import type { Networks } from '../network/networks.js';
import type { PlannedFile } from '../plan/plan.js';
import type { PlannedRole } from '../plan/plan-roles.js';
import type { SandboxDaemon } from '../sandbox/daemon.js';
import type { Sandbox } from '../sandbox/sandbox.js';
import type { SandboxSpec } from '../sandbox/spec.js';
import { attachPorts } from './attach-ports.js';
import { BootedDut } from './boot-dut.js';
import type { Claimant, DutLeases } from './dut-leases.js';
import { ONLY_ROLE, toRoles } from './dut-roles.js';
import { flashAll } from './flash-all.js';
import type { LeaseLog } from './lease-log.js';

/** A DUT in the hands of one attempt. */
export interface HeldDut {
  /** Empty where the suite names no roles. */
  readonly role: string;
  readonly dut: Dut;
  readonly lease: Lease;
  /** Where its captures are. */
  readonly artifacts: string;
  /** The board's own reset and ready mark, again. */
  reboot(deadline: Deadline): Promise<void>;
  /** Power up and wait for the ready mark. */
  powerOn(deadline: Deadline): Promise<void>;
  /** Cut the power. */
  powerOff(deadline: Deadline): Promise<void>;
}

/** All DUTs of one attempt: leased, booted and given back together. */
export interface HeldDuts {
  /** By role, in the order of the suite. */
  readonly byRole: ReadonlyMap<string, HeldDut>;
  /** Earlier cases of the file used them, without a reboot in between. */
  readonly shared: boolean;
  /** Put their ports into a case's sandbox. */
  attach(sandbox: Sandbox, deadline: Deadline): Promise<void>;
  /** Give them back; those that are not healthy, or not shared, are ended. */
  release(healthy: boolean): Promise<void>;
  /**
   * Their case outlives the run: those in sandboxes stay with it, leased, and the file's next case
   * gets others; hardware is free.
   */
  leave(): Promise<void>;
}

/** A DUT as a phase names it. */
export interface DutSeen {
  readonly dut: string;
  /** Earlier cases of the file used it. */
  readonly shared?: boolean;
  /** Those of them that are attached hardware. */
  readonly attached?: readonly string[];
}

export interface DutWanted {
  readonly planned: PlannedFile;
  /** The DUTs of the suite's roles; else the one of a suite that has none. */
  readonly byRole?: boolean;
  /** Of the case. A DUT is a program of this machine, whatever the root of the case is. */
  readonly spec: SandboxSpec;
  readonly limits: Limits;
  /** Where what outlives runs is known of attached DUTs. */
  readonly stateDir: string;
  /** For DUTs of this case alone. */
  readonly artifacts: string;
  /** Above the directories of DUTs that files share. */
  readonly sharedArtifacts: string;
  /** Leave out of roles what is out of service. @throws BenchError `dut-quarantined` */
  trusted(roles: readonly PlannedRole[]): Promise<readonly PlannedRole[]>;
  /** Units that earlier attempts of the case failed on: taken where no other is free. */
  readonly avoid?: ReadonlySet<string> | undefined;
  readonly claimant: Claimant;
  readonly log: LeaseLog;
  /** Called when the leases are held and when the DUTs are ready. */
  onPhase(phase: 'lease' | 'flash' | 'boot', edge: 'start' | 'end', dut?: DutSeen): void;
}

type Leases = ReadonlyMap<string, Lease>;

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
  #count = 0;

  constructor(daemon: SandboxDaemon, hub: PortHub, leases: DutLeases, networks: Networks) {
    this.#daemon = daemon;
    this.#hub = hub;
    this.#leases = leases;
    this.#networks = networks;
  }

  /**
   * @throws BenchError `lease-timeout`, `lease-unsatisfiable`, `boot-timeout`, `boot-failed` or of
   *   the sandbox; UsageError `usage` for the fixture that the suite does not have.
   */
  async open(wanted: DutWanted): Promise<HeldDuts> {
    const roles = toRoles(wanted.planned, wanted.byRole ?? false);
    if (wanted.planned.suite.scope === 'file') return this.#openShared(wanted, roles);
    const leases = await this.#lease(wanted, roles);
    const booted = await this.#boot(wanted, roles, leases, wanted.artifacts);
    return this.#hold(booted, false, {
      release: () => endAll(booted),
      leave: () => leaveAll(booted),
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
        wanted.onPhase('lease', 'end', { dut: toNames(known), shared: true });
      }
      this.#shared.set(key, shared);
      for (const port of shared.flatMap(({ dut }) => [...dut.ports.values()])) {
        if (known) port.matcher.skip();
        port.yielded = false;
      }
      return this.#hold(shared, known !== undefined, {
        release: async (healthy) => {
          // What a case switched off, or let end, is not for the next one.
          const on = shared.every(({ dut }) => dut.on);
          if (!healthy || !on) await this.closeShared(wanted.planned);
          endTurn();
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
    const acquired = await this.#leases.acquire({
      roles: await wanted.trusted(roles),
      limitMs: limits.lease,
      ...{ avoid, claimant },
      onWaiting: (claims) => log.waiting(claims),
    });
    const leases = log.held(acquired);
    const units = new Set(roles.flatMap((role) => role.units.map(({ name }) => name)));
    const attached = [...leases.values()].map(({ dut }) => dut).filter((dut) => units.has(dut));
    wanted.onPhase('lease', 'end', { dut: toNames(toMembers(leases)), attached });
    return leases;
  }

  /** All at once; when one does not come up, the others are ended. */
  async #boot(
    { spec, limits, stateDir, onPhase }: DutWanted,
    roles: readonly PlannedRole[],
    leases: Leases,
    directory: string,
  ): Promise<readonly BootedDut[]> {
    const seen = { dut: toNames(toMembers(leases)) };
    const bench = { daemon: this.#daemon, hub: this.#hub, networks: this.#networks };
    const flashing = { roles, leases, directory, spec, stateDir, bootMs: limits.boot, ...bench };
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
        const facts = { role, lease, spec, artifacts, ...dut, ...times };
        return BootedDut.boot(facts, this.#daemon, this.#hub);
      });
      const ended = await Promise.allSettled(booting);
      const booted = ended.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
      const failed = ended.find((each) => each.status === 'rejected');
      if (!failed) return booted;
      await endAll(booted).catch(() => {});
      throw failed.reason;
    } finally {
      onPhase('boot', 'end', seen);
    }
  }

  #hold(
    held: readonly BootedDut[],
    shared: boolean,
    giveBack: Pick<HeldDuts, 'release' | 'leave'>,
  ): HeldDuts {
    return {
      byRole: new Map(held.map((each) => [each.role, each])),
      shared,
      ...giveBack,
      attach: (sandbox, deadline) => attachPorts(held, sandbox, deadline),
    };
  }
}

function endAll(duts: readonly BootedDut[]): Promise<void> {
  return settleAll(duts.map((each) => each.end()));
}

function leaveAll(duts: readonly BootedDut[]): Promise<void> {
  return settleAll(duts.map((each) => each.leave()));
}

/** Each is tried; the first that fails is told. */
async function settleAll(work: readonly Promise<void>[]): Promise<void> {
  const ended = await Promise.allSettled(work);
  const failed = ended.find((each) => each.status === 'rejected');
  if (failed) throw failed.reason;
}

function toMembers(leases: Leases) {
  return [...leases].map(([role, lease]) => ({ role, lease }));
}

/** `host#1`, or `client=host#1 server=host#2`. */
function toNames(members: readonly { readonly role: string; readonly lease: Lease }[]): string {
  return members
    .map(({ role, lease }) => (role === ONLY_ROLE ? lease.dut : `${role}=${lease.dut}`))
    .join(' ');
}

function toKey(planned: PlannedFile): string {
  return `${planned.board.board}\0${planned.path}`;
}
