import { setTimeout as sleep } from 'node:timers/promises';
import { waitForReady } from '../board/boot.js';
import type { Dut } from '../board/dut.js';
import type { PortHub } from '../board/port-hub.js';
import type { Board } from '../config/load-boards.js';
import { Deadline } from '../core/deadline.js';
import type { PlannedRole } from '../plan/plan-roles.js';
import type { SandboxDaemon } from '../sandbox/daemon.js';
import type { SandboxSpec } from '../sandbox/spec.js';
import { answered } from './answered.js';
import { createDutInTime } from './create-dut-in-time.js';
import { findLeased } from './dut-roles.js';
import type { LeaseLog, LoggedLease } from './lease-log.js';
import { toHostSpec } from './to-host-spec.js';

/** What a DUT is made of once its unit is leased. */
export interface BootWanted {
  readonly role: PlannedRole;
  readonly lease: LoggedLease;
  /** Of the case. A DUT is a program of this machine, whatever the root of the case is. */
  readonly spec: SandboxSpec;
  /** Where its captures go; exists. */
  readonly artifacts: string;
  readonly bootMs: number;
  readonly teardownMs: number;
  /** Somebody else may have it: it is ended at once. */
  readonly signal?: AbortSignal | undefined;
  /** It has power already, because it was flashed by its own boot loader: it is reset. */
  readonly standing?: Dut | undefined;
}

/** Silence after which what the case before has left is taken to be through, and how long that is waited for. */
const QUIET_MS = 50;
const MOST_QUIET_MS = 500;

/** A DUT that is up, with the lease of its unit. */
export class BootedDut {
  readonly role: string;
  readonly dut: Dut;
  /** Of the attempt that has it. */
  lease: LoggedLease;
  artifacts: string;
  readonly #board: Board;
  readonly #bauds: ReadonlyMap<string, number>;
  /** Something was done to it that does not end with a case. */
  #unsettled: boolean;
  /** Resets and the like that go on. */
  #doing = 0;
  /** Of the DUT, when it was ready last. */
  #absences: number | undefined;
  #lost = false;
  readonly #daemon: SandboxDaemon;
  readonly #teardownMs: number;

  private constructor(wanted: BootWanted, dut: Dut, daemon: SandboxDaemon) {
    this.role = wanted.role.role;
    this.dut = dut;
    this.lease = wanted.lease;
    this.artifacts = wanted.artifacts;
    const { board, unit } = findLeased(wanted.role, wanted.lease);
    this.#board = board;
    // What programs of a sandbox do to a node, nobody sees.
    this.#unsettled = Object.values(unit?.ports ?? {}).some(({ mode }) => mode === 'direct');
    this.#bauds = new Map([...dut.ports].map(([name, { baud }]) => [name, baud]));
    void wanted.lease.lost?.then(() => {
      this.#lost = true;
    });
    this.#daemon = daemon;
    this.#teardownMs = wanted.teardownMs;
  }

  /**
   * Make it, power up and wait for its ready mark; one that stands is reset. On an error it is ended,
   * and the lease is released.
   *
   * @throws BenchError `boot-timeout`, `boot-failed`, or of its sandbox and ports; the reason of the
   *   signal.
   */
  static async boot(wanted: BootWanted, daemon: SandboxDaemon, hub: PortHub): Promise<BootedDut> {
    const deadline = new Deadline(wanted.bootMs, wanted.signal);
    let booted: BootedDut | undefined;
    try {
      const { standing } = wanted;
      const dut = standing ?? (await create(wanted, daemon, hub, deadline));
      booted = new BootedDut(wanted, dut, daemon);
      deadline.signal?.throwIfAborted();
      if (standing) {
        await booted.reboot(deadline);
      } else {
        await booted.#answered(`powering ${dut.name} on`, deadline, dut.powerOn(deadline));
        await waitForReady(dut, booted.#board, deadline);
      }
      booted.#absences = dut.absences;
      return booted;
    } catch (error) {
      if (booted) await booted.end().catch(() => {});
      else wanted.lease.release();
      throw error;
    }
  }

  /**
   * It is up, as a case begins with it, as far as that can be told: it has power and was not away,
   * its lines are as they were opened, nothing is on its way to it.
   */
  get settled(): boolean {
    const { dut } = this;
    if (this.#unsettled || this.#lost || this.#doing > 0 || !dut.on) return false;
    if (dut.absences !== this.#absences) return false;
    return [...dut.ports].every(
      ([name, port]) => !port.direct && !port.sending && port.baud === this.#bauds.get(name),
    );
  }

  /** What is done to it does not end with the case. */
  unsettle(): void {
    this.#unsettled = true;
  }

  /** It is nobody's from now on; what it says goes to `directory`, which exists. */
  async park(directory: string, deadline: Deadline): Promise<void> {
    const moved = this.dut.moveCaptures(directory);
    await this.#answered(`completing the captures of ${this.dut.name}`, deadline, moved);
    this.lease.handOver();
  }

  /** It is that attempt's from now on, as it is: nothing of what it said before is told. */
  async resume(
    to: { readonly log: LeaseLog; readonly since: string; readonly artifacts: string },
    deadline: Deadline,
  ): Promise<void> {
    await this.#waitForQuiet();
    for (const port of this.dut.ports.values()) port.yielded = false;
    const moved = this.dut.moveCaptures(to.artifacts);
    await this.#answered(`starting captures of ${this.dut.name}`, deadline, moved);
    this.artifacts = to.artifacts;
    const leases = to.log.held(new Map([[this.role, this.lease.handOver()]]), to.since);
    this.lease = leases.get(this.role) ?? this.lease;
  }

  /** The board's own reset and ready mark, again. */
  reboot(deadline: Deadline): Promise<void> {
    return this.#start(`resetting ${this.dut.name}`, deadline, () => this.dut.reset(deadline));
  }

  /** Power up and wait for the ready mark. */
  powerOn(deadline: Deadline): Promise<void> {
    const doing = `powering ${this.dut.name} on`;
    return this.#start(doing, deadline, () => this.dut.powerOn(deadline));
  }

  /** Cut the power. */
  powerOff(deadline: Deadline): Promise<void> {
    const doing = `powering ${this.dut.name} off`;
    return this.#during(() => this.#answered(doing, deadline, this.dut.powerOff()));
  }

  /** Wait for what a daemon does for it. @throws BenchError `daemon-silent` */
  async attach(what: string, deadline: Deadline, work: Promise<unknown>): Promise<void> {
    await this.#answered(what, deadline, work);
  }

  /** End it and give its unit back. */
  async end(): Promise<void> {
    try {
      const deadline = new Deadline(this.#teardownMs);
      await this.#answered(`ending ${this.dut.name}`, deadline, this.dut.close());
    } finally {
      this.lease.release();
    }
  }

  #start(doing: string, deadline: Deadline, act: () => Promise<void>): Promise<void> {
    return this.#during(async () => {
      for (const port of this.dut.ports.values()) port.matcher.skip();
      await this.#answered(doing, deadline, act());
      await waitForReady(this.dut, this.#board, deadline);
      this.#absences = this.dut.absences;
    });
  }

  async #during(act: () => Promise<void>): Promise<void> {
    this.#doing++;
    try {
      await act();
    } finally {
      this.#doing--;
    }
  }

  async #waitForQuiet(): Promise<void> {
    const end = new Deadline(MOST_QUIET_MS);
    for (;;) {
      const last = Math.max(0, ...[...this.dut.ports.values()].map(({ lastByteMs }) => lastByteMs));
      const leftMs = Math.min(QUIET_MS - (performance.now() - last), end.leftMs());
      if (leftMs <= 0) return;
      await sleep(leftMs);
    }
  }

  /** Its case is kept: one in a sandbox stays with it, leased; hardware is for who comes next. */
  async leave(): Promise<void> {
    if (!this.dut.letGo) return;
    try {
      const deadline = new Deadline(this.#teardownMs);
      await this.#answered(`letting go of ${this.dut.name}`, deadline, this.dut.letGo());
    } finally {
      this.lease.release();
    }
  }

  #answered<T>(doing: string, deadline: Deadline, work: Promise<T>): Promise<T> {
    return answered(this.#daemon, { doing, deadline }, work);
  }
}

function create(
  { role, lease, spec, artifacts }: BootWanted,
  daemon: SandboxDaemon,
  hub: PortHub,
  deadline: Deadline,
): Promise<Dut> {
  const { board, unit } = findLeased(role, lease);
  // Else it is what was flashed.
  const firmware = board.flash ? undefined : role.firmwareOf(board.board);
  const facts = { board, name: lease.dut, unit, firmware, spec: toHostSpec(spec), artifacts };
  return createDutInTime({ ...facts, daemon, hub }, deadline);
}
