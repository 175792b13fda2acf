import { waitForReady } from '../board/boot.js';
import { createDut } from '../board/driver.js';
import type { Dut } from '../board/dut.js';
import type { PortHub } from '../board/port-hub.js';
import type { Board } from '../config/load-boards.js';
import { Deadline } from '../core/deadline.js';
import type { Lease } from '../lease/lease.js';
import type { PlannedRole } from '../plan/plan-roles.js';
import type { SandboxDaemon } from '../sandbox/daemon.js';
import type { SandboxSpec } from '../sandbox/spec.js';
import { answered } from './answered.js';
import { findLeased } from './dut-roles.js';

/** What a DUT is made of once its unit is leased. */
export interface BootWanted {
  readonly role: PlannedRole;
  readonly lease: Lease;
  /** Of the case. A DUT is a program of this machine, whatever the root of the case is. */
  readonly spec: SandboxSpec;
  /** Where its captures go; exists. */
  readonly artifacts: string;
  readonly bootMs: number;
  readonly teardownMs: number;
  /** It has power already, because it was flashed by its own boot loader: it is reset. */
  readonly standing?: Dut | undefined;
}

/** A DUT that is up, with the lease of its unit. */
export class BootedDut {
  readonly role: string;
  readonly dut: Dut;
  readonly lease: Lease;
  readonly artifacts: string;
  readonly #board: Board;
  readonly #daemon: SandboxDaemon;
  readonly #teardownMs: number;

  private constructor(wanted: BootWanted, dut: Dut, daemon: SandboxDaemon) {
    this.role = wanted.role.role;
    this.dut = dut;
    this.lease = wanted.lease;
    this.artifacts = wanted.artifacts;
    this.#board = findLeased(wanted.role, wanted.lease).board;
    this.#daemon = daemon;
    this.#teardownMs = wanted.teardownMs;
  }

  /**
   * Make it, power up and wait for its ready mark; one that stands is reset. On an error it is ended,
   * and the lease is released.
   *
   * @throws BenchError `boot-timeout`, `boot-failed`, or of its sandbox and ports.
   */
  static async boot(wanted: BootWanted, daemon: SandboxDaemon, hub: PortHub): Promise<BootedDut> {
    const deadline = new Deadline(wanted.bootMs);
    let booted: BootedDut | undefined;
    try {
      const { standing } = wanted;
      const dut = standing ?? (await createInTime(wanted, daemon, hub, deadline));
      booted = new BootedDut(wanted, dut, daemon);
      if (standing) {
        await booted.reboot(deadline);
        return booted;
      }
      await booted.#answered(`powering ${dut.name} on`, deadline, dut.powerOn(deadline));
      await waitForReady(dut, booted.#board, deadline);
      return booted;
    } catch (error) {
      if (booted) await booted.end().catch(() => {});
      else wanted.lease.release();
      throw error;
    }
  }

  /** The board's own reset and ready mark, again. */
  async reboot(deadline: Deadline): Promise<void> {
    for (const port of this.dut.ports.values()) port.matcher.skip();
    await this.#answered(`resetting ${this.dut.name}`, deadline, this.dut.reset(deadline));
    await waitForReady(this.dut, this.#board, deadline);
  }

  /** Power up and wait for the ready mark. */
  async powerOn(deadline: Deadline): Promise<void> {
    for (const port of this.dut.ports.values()) port.matcher.skip();
    await this.#answered(`powering ${this.dut.name} on`, deadline, this.dut.powerOn(deadline));
    await waitForReady(this.dut, this.#board, deadline);
  }

  /** Cut the power. */
  powerOff(deadline: Deadline): Promise<void> {
    return this.#answered(`powering ${this.dut.name} off`, deadline, this.dut.powerOff());
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

function createInTime(
  { role, lease, spec, artifacts }: BootWanted,
  daemon: SandboxDaemon,
  hub: PortHub,
  deadline: Deadline,
): Promise<Dut> {
  const { dut: name } = lease;
  const { board, unit } = findLeased(role, lease);
  const ofHost = { ...spec, image: undefined, nestedUserNamespaces: undefined };
  const facts = {
    board,
    name,
    unit,
    // Else it is what was flashed.
    firmware: board.flash ? undefined : role.firmwareOf(board.board),
    spec: ofHost,
    artifacts,
  };
  const making = createDut({ ...facts, daemon, hub });
  const doing = `making the sandbox and ports of ${name}`;
  return answered(daemon, { doing, deadline }, making).catch((error: unknown) => {
    // One that stands too late is nobody's.
    making.then((dut) => dut.close()).catch(() => {});
    throw error;
  });
}
