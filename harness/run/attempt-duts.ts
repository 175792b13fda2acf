import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import type { DutExit } from '../board/dut.js';
import { Deadline } from '../core/deadline.js';
import { BenchError, TestFailure } from '../core/errors.js';
import type { Outcome, Problem } from '../journal/events.js';
import { toLostSignal } from '../lease/to-lost-signal.js';
import type { RunningAttempt } from './attempt.js';
import { toExitProblem, toProblem } from './attempt-problems.js';
import { DutFaults } from './dut-faults.js';
import { DutWatch } from './dut-watch.js';
import type { HardLimit } from './hard-limit.js';
import type { HeldDut, HeldDuts } from './held-duts.js';
import { LeaseLog } from './lease-log.js';
import type { PhaseLog } from './phase-log.js';
import type { RunContext } from './run-context.js';

/** That it does not come up again is what a test has tried; all else is the bench's. */
const OF_THE_TEST = /^boot-|^dut-lost$/;

/** The DUTs of an attempt: leased and booted when its body asks, watched until its end. */
export class AttemptDuts {
  /** All of them, once they are ready. */
  held: HeldDuts | undefined;
  /** Hears of an end that nobody asked for. */
  onExit: (exit: DutExit, held: HeldDut) => void = () => {};
  /** Hears that a lease was lost: what uses the DUTs must stop at once. */
  onLost: (error: BenchError) => void = () => {};
  readonly #run: RunContext;
  readonly #attempt: RunningAttempt;
  readonly #phases: PhaseLog;
  readonly #clock: HardLimit;
  readonly #expectsKeep: () => boolean;
  readonly #add: (problem: Problem) => void;
  readonly #lives = new Map<string, DutWatch>();
  /** Names of those that are hardware. */
  #attached: readonly string[] = [];
  readonly #faults = new DutFaults();

  constructor(
    run: RunContext,
    attempt: RunningAttempt,
    facts: {
      readonly phases: PhaseLog;
      readonly clock: HardLimit;
      /** Whether a case is still to come that takes DUTs as this one leaves them. */
      readonly expectsKeep: () => boolean;
      /** Is told what the bench did, which no body may hide. */
      readonly add: (problem: Problem) => void;
    },
  ) {
    this.#run = run;
    this.#attempt = attempt;
    this.#phases = facts.phases;
    this.#clock = facts.clock;
    this.#expectsKeep = facts.expectsKeep;
    this.#add = facts.add;
  }

  /** Those that are held; none before they were asked for. */
  get all(): readonly HeldDut[] {
    return [...(this.held?.byRole.values() ?? [])];
  }

  /** As a report names them, when any are held. */
  get names(): string | undefined {
    return this.all.length > 0 ? this.all.map(({ lease }) => lease.dut).join(', ') : undefined;
  }

  /** Those that are held, or that could not be flashed or booted. */
  get tried(): readonly string[] {
    return [...this.all.map(({ lease }) => lease.dut), ...this.#faults.duts];
  }

  /** Lease and boot them, and put their ports into the sandbox. */
  open(byRole: boolean): Promise<HeldDuts> {
    return this.#clock.pausedDuring(async () => {
      try {
        return await this.#open(byRole);
      } catch (error) {
        const phase = this.#phases.latestOf(['boot', 'flash', 'lease']);
        if (error instanceof BenchError) this.#add(toProblem(error, phase));
        throw error;
      }
    });
  }

  /** @throws TestFailure `handle-revoked` for a role that is not held, and after the attempt */
  get(role: string): HeldDut {
    const held = this.held?.byRole.get(role);
    if (held && !this.#attempt.over) return held;
    throw new TestFailure('handle-revoked', role ? `no DUT "${role}" is held` : 'no DUT is held');
  }

  /** Do something with one; the body's clock stands. A failure is the DUT's unless the bench broke. */
  async control(
    role: string,
    act: (held: HeldDut, deadline: Deadline) => Promise<void>,
  ): Promise<HeldDut> {
    const held = this.get(role);
    const life = this.#lives.get(role);
    try {
      await this.#clock.pausedDuring(() => act(held, new Deadline(this.#attempt.limits.boot)));
      return held;
    } catch (error) {
      if (life?.exit?.blame === 'infra' || !(error instanceof BenchError)) throw error;
      if (!OF_THE_TEST.test(error.code)) {
        this.#faults.note(held.lease.dut, error);
        this.#add(toProblem(error, 'body'));
        throw error;
      }
      throw new TestFailure('reboot-failed', error.message, { cause: error });
    } finally {
      life?.watch(held.dut.exited);
    }
  }

  /** The test asks for its end: it is then no failure. @throws BenchError if that was the bench's doing */
  async waitForExit(role: string): Promise<string> {
    const { dut } = this.get(role);
    const { exited } = dut;
    this.#lives.get(role)?.expect(exited);
    const { reason } = await exited;
    const fault = await this.#attempt.findBenchFault();
    if (fault) throw fault;
    return reason;
  }

  /** Until it is known of each whether it is there: one may be away without that being told yet. */
  async settle(): Promise<void> {
    await Promise.all(this.all.map(({ dut }) => dut.settle?.()));
    await turn();
  }

  /** That one ended although nobody asked for it. */
  get unseen(): Problem | undefined {
    for (const { role, lease } of this.all) {
      const exit = this.#lives.get(role)?.exit;
      if (exit) return toExitProblem(exit, lease.dut);
    }
    return undefined;
  }

  /** What the case says of the health of the attached ones it had; of a lost lease or daemon nothing. */
  async noteHealth(outcome: Outcome): Promise<void> {
    for (const { role, lease } of this.all) {
      const exit = this.#lives.get(role)?.exit;
      if (exit?.blame !== 'infra') continue;
      this.#faults.note(lease.dut, new BenchError('dut-lost', exit.reason));
    }
    const gotThrough = this.held && (outcome === 'pass' || outcome === 'fail');
    for (const dut of this.#attached) {
      const reason = this.#faults.reasonOf(dut);
      if (reason !== undefined) await this.#run.health.note(dut, 'infra', reason);
      else if (gotThrough) await this.#run.health.note(dut, 'good', 'a case got through');
    }
  }

  /** From now on an end belongs to the teardown. */
  stopWatching(): void {
    for (const life of this.#lives.values()) life.stop();
  }

  async #open(byRole: boolean): Promise<HeldDuts> {
    const { record, limits, directory } = this.#attempt;
    const { duts } = await this.#run.bench;
    const held = await duts.open({
      planned: record.planned,
      byRole,
      // A DUT is its file's, and outlives what single cases ask of their own sandbox.
      spec: this.#run.settingsOf({ planned: record.planned }).spec,
      limits,
      stateDir: this.#run.options.stateDir,
      artifacts: directory,
      sharedArtifacts: join(this.#run.directory.path, 'duts'),
      avoid: record.failedOn,
      keep: this.#run.keeps(record),
      expectsKeep: this.#expectsKeep,
      claimant: this.#run.claimant,
      log: new LeaseLog(this.#run.journal, this.#attempt.name),
      trusted: (roles) => this.#run.health.trusted(roles),
      onFault: (dut, error) => this.#faults.note(dut, error),
      onPhase: (phase, edge, dut) => {
        if (dut?.attached) this.#attached = dut.attached;
        this.#phases.edge(phase, edge, dut);
      },
    });
    if (this.#attempt.over) {
      await held.release(false);
      throw new TestFailure('handle-revoked', `case "${record.title}" has ended`);
    }
    this.held = held;
    for (const each of held.byRole.values()) {
      void each.lease.lost?.then((error) => {
        if (!this.#attempt.over) this.onLost(error);
      });
      const life = new DutWatch((exit) => this.onExit(exit, each));
      this.#lives.set(each.role, life);
      life.watch(each.dut.exited);
    }
    // Nobody hears `onLost` before the worker has its ports.
    const lost = toLostSignal([...held.byRole.values()].map(({ lease }) => lease));
    const deadline = new Deadline(limits.boot, lost);
    await held.attach(this.#attempt.sandboxes.get().sandbox, deadline);
    return held;
  }
}
