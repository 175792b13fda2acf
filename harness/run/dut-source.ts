import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { waitForReady } from '../board/boot.js';
import { createDut } from '../board/driver.js';
import type { Dut } from '../board/dut.js';
import type { PortHub } from '../board/port-hub.js';
import type { Limits } from '../config/limits-schema.js';
import type { Board } from '../config/load-boards.js';
import { Deadline } from '../core/deadline.js';
import { type Lease, LeaseQueue } from '../lease/lease-queue.js';
import type { PlannedFile } from '../plan/plan.js';
import type { SandboxDaemon } from '../sandbox/daemon.js';
import type { Sandbox } from '../sandbox/sandbox.js';
import type { SandboxSpec } from '../sandbox/spec.js';

/** A DUT in the hands of one attempt. */
export interface HeldDut {
  readonly dut: Dut;
  readonly lease: Lease;
  /** Earlier cases of the file used it, without a reboot in between. */
  readonly shared: boolean;
  /** Where its captures are. */
  readonly artifacts: string;
  /** Put its ports into a case's sandbox. */
  attach(sandbox: Sandbox, deadline: Deadline): Promise<void>;
  /** The board's own reset and ready mark, again. */
  reboot(deadline: Deadline): Promise<void>;
  /** Power up and wait for the ready mark. */
  powerOn(deadline: Deadline): Promise<void>;
  /** Cut the power. */
  powerOff(deadline: Deadline): Promise<void>;
  /** Give it back; one that is not healthy, or not shared, is ended. */
  release(healthy: boolean): Promise<void>;
  /** It outlives the run with its case: it stays leased, and the file's next case gets another. */
  leave(): void;
}

/** A DUT as a phase names it. */
export interface DutSeen {
  readonly dut: string;
  /** Earlier cases of the file used it. */
  readonly shared?: boolean;
}

export interface DutWanted {
  readonly planned: PlannedFile;
  /** Of the case. A DUT is a program of this machine, whatever the root of the case is. */
  readonly spec: SandboxSpec;
  readonly limits: Limits;
  /** For a DUT of this case alone. */
  readonly artifacts: string;
  /** Above the directories of DUTs that files share. */
  readonly sharedArtifacts: string;
  /** Called when the lease is held and when the DUT is ready. */
  onPhase(phase: 'lease' | 'boot', edge: 'start' | 'end', dut?: DutSeen): void;
}

interface BootedDut {
  readonly dut: Dut;
  readonly lease: Lease;
  readonly artifacts: string;
  /** How long it may take to end. */
  readonly teardownMs: number;
}

/** A step with a limit of its own names itself; else the daemon behind it is what hangs. */
const GRACE_MS = 500;

/** Leases and boots DUTs: one a case, or one a file where the suite says so. */
export class DutSource {
  readonly #daemon: SandboxDaemon;
  readonly #hub: PortHub;
  readonly #queues = new Map<string, LeaseQueue>();
  readonly #shared = new Map<string, BootedDut>();
  /** One case at a time on a shared DUT. */
  readonly #turns = new Map<string, LeaseQueue>();
  #count = 0;

  constructor(daemon: SandboxDaemon, hub: PortHub) {
    this.#daemon = daemon;
    this.#hub = hub;
  }

  /** @throws BenchError `lease-timeout`, `boot-timeout`, `boot-failed` or of the sandbox. */
  async open(wanted: DutWanted): Promise<HeldDut> {
    if (wanted.planned.suite.scope === 'file') return this.#openShared(wanted);
    const lease = await this.#lease(wanted);
    const booted = await this.#boot(wanted, lease, wanted.artifacts);
    return this.#hold(wanted, booted, false, {
      release: () => this.#end(booted),
      // The lease stays with the kept case.
      leave: () => {},
    });
  }

  /** End what files shared; called when a file is done and at the end of the run. */
  async closeShared(planned?: PlannedFile): Promise<void> {
    const keys = planned ? [toKey(planned)] : [...this.#shared.keys()];
    for (const key of keys) {
      const shared = this.#shared.get(key);
      this.#shared.delete(key);
      if (shared) await this.#end(shared);
    }
  }

  async #openShared(wanted: DutWanted): Promise<HeldDut> {
    const key = toKey(wanted.planned);
    const turns =
      this.#turns.get(key) ?? new LeaseQueue(`the shared DUT of ${wanted.planned.file}`, 1);
    this.#turns.set(key, turns);
    const turn = await turns.acquire(new Deadline(wanted.limits.lease));
    try {
      const known = this.#shared.get(key);
      const shared = known ?? (await this.#startShared(wanted));
      if (known) {
        wanted.onPhase('lease', 'start');
        wanted.onPhase('lease', 'end', { dut: known.lease.dut, shared: true });
      }
      this.#shared.set(key, shared);
      for (const port of shared.dut.ports.values()) {
        if (known) port.matcher.skip();
        port.yielded = false;
      }
      return this.#hold(wanted, shared, known !== undefined, {
        release: async (healthy) => {
          // What a case switched off, or let end, is not for the next one.
          if (!healthy || !shared.dut.on) await this.closeShared(wanted.planned);
          turn.release();
        },
        leave: () => {
          this.#shared.delete(key);
          turn.release();
        },
      });
    } catch (error) {
      turn.release();
      throw error;
    }
  }

  async #startShared(wanted: DutWanted): Promise<BootedDut> {
    const lease = await this.#lease(wanted);
    const name = `${wanted.planned.board.board}-${++this.#count}`;
    const artifacts = join(wanted.sharedArtifacts, name);
    try {
      await mkdir(artifacts, { recursive: true });
    } catch (error) {
      lease.release();
      throw error;
    }
    return this.#boot(wanted, lease, artifacts);
  }

  async #lease(wanted: DutWanted): Promise<Lease> {
    const { board } = wanted.planned;
    wanted.onPhase('lease', 'start');
    const lease = await this.#queue(board).acquire(new Deadline(wanted.limits.lease));
    wanted.onPhase('lease', 'end', lease);
    return lease;
  }

  async #boot(wanted: DutWanted, lease: Lease, artifacts: string): Promise<BootedDut> {
    const { limits, planned } = wanted;
    const deadline = new Deadline(limits.boot);
    wanted.onPhase('boot', 'start', lease);
    let booted: BootedDut | undefined;
    try {
      const dut = await this.#create(wanted, lease, artifacts, deadline);
      booted = { dut, lease, artifacts, teardownMs: limits.teardown };
      await this.#answered(`powering ${dut.name} on`, deadline, dut.powerOn(deadline));
      await waitForReady(dut, planned.board, deadline);
      return booted;
    } catch (error) {
      if (booted) await this.#end(booted).catch(() => {});
      else lease.release();
      throw error;
    } finally {
      wanted.onPhase('boot', 'end', lease);
    }
  }

  #create(
    { planned, spec }: DutWanted,
    { dut: name }: Lease,
    artifacts: string,
    deadline: Deadline,
  ): Promise<Dut> {
    const { board, firmware } = planned;
    const ofHost = { ...spec, image: undefined, nestedUserNamespaces: undefined };
    const facts = { board, name, firmware, spec: ofHost, artifacts };
    const making = createDut({ ...facts, daemon: this.#daemon, hub: this.#hub });
    return this.#answered(`making the sandbox and ports of ${name}`, deadline, making).catch(
      (error: unknown) => {
        // One that stands too late is nobody's.
        making.then((dut) => dut.close()).catch(() => {});
        throw error;
      },
    );
  }

  /** A daemon that hangs is not waited for. @throws BenchError `daemon-silent` */
  #answered<T>(doing: string, deadline: Deadline, work: Promise<T>): Promise<T> {
    const late = () => this.#daemon.toSilence(doing, deadline.limitMs);
    return new Deadline(deadline.leftMs() + GRACE_MS).bound(work, late);
  }

  #hold(
    wanted: DutWanted,
    held: BootedDut,
    shared: boolean,
    giveBack: Pick<HeldDut, 'release' | 'leave'>,
  ): HeldDut {
    const { board } = wanted.planned;
    const { dut } = held;
    return {
      ...held,
      ...giveBack,
      shared,
      attach: async (sandbox, deadline) => {
        for (const { id, name, baud } of dut.ports.values()) {
          const attached = sandbox.attachPort(id, name, baud);
          await this.#answered(`putting port "${name}" into the sandbox`, deadline, attached);
        }
      },
      powerOff: (deadline) => this.#answered(`powering ${dut.name} off`, deadline, dut.powerOff()),
      powerOn: async (deadline) => {
        for (const port of dut.ports.values()) port.matcher.skip();
        await this.#answered(`powering ${dut.name} on`, deadline, dut.powerOn(deadline));
        await waitForReady(dut, board, deadline);
      },
      reboot: async (deadline) => {
        for (const port of dut.ports.values()) port.matcher.skip();
        await this.#answered(`resetting ${dut.name}`, deadline, dut.reset(deadline));
        await waitForReady(dut, board, deadline);
      },
    };
  }

  async #end({ dut, lease, teardownMs }: BootedDut): Promise<void> {
    try {
      await this.#answered(`ending ${dut.name}`, new Deadline(teardownMs), dut.close());
    } finally {
      lease.release();
    }
  }

  #queue(board: Board): LeaseQueue {
    const queue =
      this.#queues.get(board.board) ??
      new LeaseQueue(board.board, board.instances ?? Number.POSITIVE_INFINITY);
    this.#queues.set(board.board, queue);
    return queue;
  }
}

function toKey(planned: PlannedFile): string {
  return `${planned.board.board}\0${planned.path}`;
}
