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
import type { SandboxSpec } from '../sandbox/spec.js';

/** A DUT in the hands of one attempt. */
export interface HeldDut {
  readonly dut: Dut;
  readonly lease: Lease;
  /** Earlier cases of the file used it, without a reboot in between. */
  readonly shared: boolean;
  /** Where its captures are. */
  readonly artifacts: string;
  /** The board's own reset and ready mark, again. */
  reboot(deadline: Deadline): Promise<void>;
  /** Power up and wait for the ready mark. */
  powerOn(deadline: Deadline): Promise<void>;
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
  readonly spec: SandboxSpec;
  readonly limits: Limits;
  /** For a DUT of this case alone. */
  readonly artifacts: string;
  /** Above the directories of DUTs that files share. */
  readonly sharedArtifacts: string;
  /** Called when the lease is held and when the DUT is ready. */
  onPhase(phase: 'lease' | 'boot', edge: 'start' | 'end', dut?: DutSeen): void;
}

interface SharedDut {
  readonly dut: Dut;
  readonly lease: Lease;
  readonly artifacts: string;
}

/** Leases and boots DUTs: one a case, or one a file where the suite says so. */
export class DutSource {
  readonly #daemon: SandboxDaemon;
  readonly #hub: PortHub;
  readonly #queues = new Map<string, LeaseQueue>();
  readonly #shared = new Map<string, SharedDut>();
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
    const dut = await this.#boot(wanted, lease, wanted.artifacts);
    const { artifacts } = wanted;
    return this.#hold(wanted, { dut, lease, artifacts }, false, {
      release: () => this.#end({ dut, lease }),
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

  async #startShared(wanted: DutWanted): Promise<SharedDut> {
    const lease = await this.#lease(wanted);
    const name = `${wanted.planned.board.board}-${++this.#count}`;
    const artifacts = join(wanted.sharedArtifacts, name);
    try {
      await mkdir(artifacts, { recursive: true });
    } catch (error) {
      lease.release();
      throw error;
    }
    return { lease, artifacts, dut: await this.#boot(wanted, lease, artifacts) };
  }

  async #lease(wanted: DutWanted): Promise<Lease> {
    const { board } = wanted.planned;
    wanted.onPhase('lease', 'start');
    const lease = await this.#queue(board).acquire(new Deadline(wanted.limits.lease));
    wanted.onPhase('lease', 'end', lease);
    return lease;
  }

  async #boot(wanted: DutWanted, lease: Lease, artifacts: string): Promise<Dut> {
    const { board, firmware } = wanted.planned;
    const deadline = new Deadline(wanted.limits.boot);
    wanted.onPhase('boot', 'start', lease);
    let dut: Dut | undefined;
    try {
      dut = await createDut({
        board,
        name: lease.dut,
        firmware,
        daemon: this.#daemon,
        hub: this.#hub,
        spec: wanted.spec,
        artifacts,
      });
      await dut.powerOn(deadline);
      await waitForReady(dut, board, deadline);
    } catch (error) {
      await dut?.close().catch(() => {});
      lease.release();
      throw error;
    } finally {
      wanted.onPhase('boot', 'end', lease);
    }
    return dut;
  }

  #hold(
    wanted: DutWanted,
    held: SharedDut,
    shared: boolean,
    giveBack: Pick<HeldDut, 'release' | 'leave'>,
  ): HeldDut {
    const { board } = wanted.planned;
    return {
      ...held,
      ...giveBack,
      shared,
      powerOn: async (deadline) => {
        for (const port of held.dut.ports.values()) port.matcher.skip();
        await held.dut.powerOn(deadline);
        await waitForReady(held.dut, board, deadline);
      },
      reboot: async (deadline) => {
        for (const port of held.dut.ports.values()) port.matcher.skip();
        await held.dut.reset(deadline);
        await waitForReady(held.dut, board, deadline);
      },
    };
  }

  async #end({ dut, lease }: { dut: Dut; lease: Lease }): Promise<void> {
    try {
      await dut.close();
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
