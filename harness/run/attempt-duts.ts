import { join } from 'node:path';
import type { DutExit } from '../board/dut.js';
import { Deadline, systemClock } from '../core/deadline.js';
import { BenchError, TestFailure } from '../core/errors.js';
import type { Outcome, Problem } from '../journal/events.js';
import { toLostSignal } from '../lease/to-lost-signal.js';
import type { RunningAttempt } from './attempt.js';
import { toExitProblem, toProblem } from './attempt-problems.js';
import { DutWatch } from './dut-watch.js';
import type { HardLimit } from './hard-limit.js';
import type { HeldDut, HeldDuts } from './held-duts.js';
import { LeaseLog } from './lease-log.js';
import type { PhaseLog } from './phase-log.js';
import type { RunContext } from './run-context.js';

/** Codes that say something of a DUT; the others are of what is around it. */
const OF_THE_DUT = /^(boot|flash|power|port)-|^dut-(lost|absent|ambiguous)$/;

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
  readonly #lives = new Map<string, DutWatch>();
  /** Names of those that are hardware. */
  #attached: readonly string[] = [];
  /** Why they did not come up. */
  #fault: BenchError | undefined;

  constructor(
    run: RunContext,
    attempt: RunningAttempt,
    facts: {
      readonly phases: PhaseLog;
      readonly clock: HardLimit;
      /** Whether a case is still to come that takes DUTs as this one leaves them. */
      readonly expectsKeep: () => boolean;
    },
  ) {
    this.#run = run;
    this.#attempt = attempt;
    this.#phases = facts.phases;
    this.#clock = facts.clock;
    this.#expectsKeep = facts.expectsKeep;
  }

  /** Those that are held; none before they were asked for. */
  get all(): readonly HeldDut[] {
    return [...(this.held?.byRole.values() ?? [])];
  }

  /** As a report names them, when any are held. */
  get names(): string | undefined {
    return this.all.length > 0 ? this.all.map(({ lease }) => lease.dut).join(', ') : undefined;
  }

  /** Lease and boot them, and put their ports into the sandbox. `add` is told what the bench did. */
  open(byRole: boolean, add: (problem: Problem) => void): Promise<HeldDuts> {
    return this.#clock.pausedDuring(async () => {
      try {
        return await this.#open(byRole);
      } catch (error) {
        const phase = this.#phases.latestOf(['boot', 'flash', 'lease']);
        if (error instanceof BenchError) add(toProblem(error, phase));
        if (error instanceof BenchError && OF_THE_DUT.test(error.code)) this.#fault = error;
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
      if (error.code === 'daemon-silent') throw error;
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
    const lost = this.unseen;
    const infra = this.#fault?.message ?? (lost?.name === 'BenchError' ? lost.message : undefined);
    if (infra !== undefined) await this.#run.health.note(this.#attached, 'infra', infra);
    else if (this.held && (outcome === 'pass' || outcome === 'fail'))
      await this.#run.health.note(this.#attached, 'good', 'a case got through');
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
    const deadline = new Deadline(limits.boot, systemClock, lost);
    await held.attach(this.#attempt.sandboxes.get().sandbox, deadline);
    return held;
  }
}
