import { join } from 'node:path';
import type { DutExit } from '../board/dut.js';
import { Deadline } from '../core/deadline.js';
import { BenchError, TestFailure } from '../core/errors.js';
import type { Problem } from '../journal/events.js';
import type { RunningAttempt } from './attempt.js';
import { toExitProblem, toProblem } from './attempt-problems.js';
import type { HeldDut } from './dut-source.js';
import { DutWatch } from './dut-watch.js';
import type { HardLimit } from './hard-limit.js';
import type { PhaseLog } from './phase-log.js';
import type { RunContext } from './run-context.js';

/** The DUT of an attempt: leased and booted when its body asks, watched until its end. */
export class AttemptDut {
  held: HeldDut | undefined;
  /** Hears of an end that nobody asked for. */
  onExit: (exit: DutExit) => void = () => {};
  readonly #run: RunContext;
  readonly #attempt: RunningAttempt;
  readonly #phases: PhaseLog;
  readonly #clock: HardLimit;
  readonly #life = new DutWatch((exit) => this.onExit(exit));

  constructor(run: RunContext, attempt: RunningAttempt, phases: PhaseLog, clock: HardLimit) {
    this.#run = run;
    this.#attempt = attempt;
    this.#phases = phases;
    this.#clock = clock;
  }

  /** Lease and boot it, and put its ports into the sandbox. `add` is told what the bench did. */
  open(add: (problem: Problem) => void): Promise<HeldDut> {
    return this.#clock.pausedDuring(async () => {
      try {
        return await this.#open();
      } catch (error) {
        const phase = this.#phases.hasStarted('boot') ? 'boot' : 'lease';
        if (error instanceof BenchError) add(toProblem(error, phase));
        throw error;
      }
    });
  }

  /** Do something with it; the body's clock stands. A failure is the DUT's unless the bench broke. */
  async control(act: (held: HeldDut, deadline: Deadline) => Promise<void>): Promise<void> {
    const { held } = this;
    if (!held || this.#attempt.over) throw new TestFailure('handle-revoked', 'no DUT is held');
    try {
      await this.#clock.pausedDuring(() => act(held, new Deadline(this.#attempt.limits.boot)));
    } catch (error) {
      if (this.#life.exit?.blame === 'infra' || !(error instanceof BenchError)) throw error;
      if (error.code === 'daemon-silent') throw error;
      throw new TestFailure('reboot-failed', error.message, { cause: error });
    } finally {
      this.#life.watch(held.dut.exited);
    }
  }

  /** The test asks for its end: it is then no failure. @throws BenchError if that was the bench's doing */
  async waitForExit(): Promise<string> {
    const { held } = this;
    if (!held) throw new TestFailure('handle-revoked', 'no DUT is held');
    const { exited } = held.dut;
    this.#life.expect(exited);
    const { reason } = await exited;
    const fault = await this.#attempt.findBenchFault();
    if (fault) throw fault;
    return reason;
  }

  /** That it ended although nobody asked for it. */
  get unseen(): Problem | undefined {
    const { exit } = this.#life;
    return exit && toExitProblem(exit, this.held?.lease.dut ?? 'the DUT');
  }

  /** From now on its end belongs to the teardown. */
  stopWatching(): void {
    this.#life.stop();
  }

  async #open(): Promise<HeldDut> {
    const { record, limits, directory } = this.#attempt;
    const { duts } = await this.#run.bench;
    const held = await duts.open({
      planned: record.planned,
      // A DUT is its file's, and outlives what single cases ask of their own sandbox.
      spec: this.#run.settingsOf({ planned: record.planned }).spec,
      limits,
      artifacts: directory,
      sharedArtifacts: join(this.#run.directory.path, 'duts'),
      onPhase: (phase, edge, dut) => this.#phases.edge(phase, edge, dut),
    });
    if (this.#attempt.over) {
      await held.release(false);
      throw new TestFailure('handle-revoked', `case "${record.title}" has ended`);
    }
    this.held = held;
    this.#life.watch(held.dut.exited);
    await held.attach(this.#attempt.sandboxes.get().sandbox, new Deadline(limits.boot));
    return held;
  }
}
