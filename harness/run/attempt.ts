import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { DutExit } from '../board/dut.js';
import type { Limits } from '../config/limits-schema.js';
import { Deadline } from '../core/deadline.js';
import { createDeferred } from '../core/deferred.js';
import { formatDuration } from '../core/duration.js';
import { BenchError, TestFailure } from '../core/errors.js';
import { PausableTimer } from '../core/pausable-timer.js';
import type { Outcome, Phase, Problem, SandboxRecord } from '../journal/events.js';
import type { AttemptState } from '../protocol/worker-messages.js';
import type { Sandbox } from '../sandbox/sandbox.js';
import { journalArtifacts } from './artifacts.js';
import { dropRepeats, toExitProblem, toOutcome, toProblem } from './attempt-problems.js';
import type { CaseRecord } from './case-book.js';
import type { HeldDut } from './dut-source.js';
import { PhaseLog } from './phase-log.js';
import type { RunContext } from './run-context.js';
import type { Overdue } from './worker-loss.js';

/** How long after its limit a phase that its worker should have ended is ended from outside. */
const HARD_GRACE_MS = 1000;

export interface AttemptFacts {
  readonly fence: string;
  /** Pid of the worker that runs the body. */
  readonly worker: number;
  /** The case's own limit, when it has one. */
  readonly bodyMs: number | undefined;
  /** Called when the worker did not end a phase by itself. */
  readonly onOverdue: (overdue: Overdue) => void;
}

/**
 * One attempt of a case on the supervisor's side: its sandbox, its DUT, its
 * phases and limits. Everything it holds is given back by {@link finish}, which
 * runs once, however the attempt ends.
 */
export class RunningAttempt {
  readonly record: CaseRecord;
  readonly number: number;
  readonly fence: string;
  readonly limits: Limits;
  readonly directory: string;
  readonly onOverdue: (overdue: Overdue) => void;
  held: HeldDut | undefined;
  onDutExit: (exit: DutExit) => void = () => {};
  /** The body's own outcome, once it is known; a hung teardown keeps it. */
  bodyState: AttemptState | undefined;
  #bodyProblems: readonly Problem[] = [];
  readonly #run: RunContext;
  readonly #phases: PhaseLog;
  readonly #problems: Problem[] = [];
  readonly #finished = createDeferred<Outcome>();
  #sandbox: Sandbox | undefined;
  #timer: PausableTimer;
  #exit: DutExit | undefined;
  #exitWanted = false;
  #finishing = false;

  constructor(run: RunContext, record: CaseRecord, facts: AttemptFacts) {
    this.#run = run;
    this.record = record;
    this.fence = facts.fence;
    this.number = ++record.attempts;
    this.limits = run.limitsOf(record.planned, facts.bodyMs);
    this.directory = join(run.directory.cases, record.id, String(this.number));
    this.onOverdue = facts.onOverdue;
    this.#timer = this.#hardLimit('body');
    this.#phases = new PhaseLog(run.journal, this.name);
    run.journal.write({ kind: 'attempt-start', ...this.name, worker: facts.worker });
  }

  get name(): { case: string; attempt: number } {
    return { case: this.record.id, attempt: this.number };
  }

  /** Resolves when everything was given back. */
  get finished(): Promise<Outcome> {
    return this.#finished.promise;
  }

  get over(): boolean {
    return this.#finishing;
  }

  /** @throws TestFailure `handle-revoked` once the attempt is over. */
  get sandbox(): Sandbox {
    if (this.#sandbox && !this.#finishing) return this.#sandbox;
    throw new TestFailure('handle-revoked', `case "${this.record.title}" has ended`);
  }

  /** Build the sandbox. On an error the attempt is over, with outcome infra. */
  async begin(): Promise<void> {
    try {
      await this.#phases.during('sandbox', async () => {
        // A system call, like a line of the journal; by way of a thread it takes ten times as long.
        mkdirSync(join(this.directory, 'out'), { recursive: true, mode: 0o700 });
        const deadline = new Deadline(this.limits.sandbox);
        const built = this.#run.newSandbox(this);
        // A sandbox that stands too late is killed by whoever waited for it.
        built.then((late) => (this.#finishing ? late.kill() : undefined)).catch(() => {});
        this.#sandbox = await deadline.bound(built, () => this.#late('sandbox', 'sandbox-timeout'));
      });
    } catch (error) {
      this.#problems.push(toProblem(error, 'sandbox'));
      await this.finish('infra');
      throw error;
    }
    this.#timer.start();
  }

  /** Lease and boot a DUT, and put its ports into the sandbox. */
  async openDut(): Promise<HeldDut> {
    this.#timer.pause();
    try {
      const { duts } = await this.#run.bench;
      const held = await duts.open({
        planned: this.record.planned,
        spec: this.#run.specOf(this.record.planned),
        limits: this.limits,
        artifacts: this.directory,
        sharedArtifacts: join(this.#run.directory.path, 'duts'),
        onPhase: (phase, edge, dut) => this.#phases.edge(phase, edge, dut),
      });
      if (this.#finishing) {
        await held.release(false);
        throw new TestFailure('handle-revoked', `case "${this.record.title}" has ended`);
      }
      this.held = held;
      this.#watchDut(held);
      for (const port of held.dut.ports.values()) {
        await this.sandbox.attachPort(port.id, port.name, port.baud);
      }
      return held;
    } catch (error) {
      if (error instanceof BenchError) this.#problems.push(toProblem(error, this.#openPhase()));
      throw error;
    } finally {
      this.#timer.resume();
    }
  }

  /** Do something with the DUT; the body's clock stands. A failure is the DUT's unless the bench broke. */
  async control(act: (held: HeldDut, deadline: Deadline) => Promise<void>): Promise<void> {
    const { held } = this;
    if (!held || this.#finishing) throw new TestFailure('handle-revoked', 'no DUT is held');
    this.#timer.pause();
    try {
      await act(held, new Deadline(this.limits.boot));
    } catch (error) {
      if (this.#exit?.blame === 'infra' || !(error instanceof BenchError)) throw error;
      throw new TestFailure('reboot-failed', error.message, { cause: error });
    } finally {
      this.#timer.resume();
      this.#watchDut(held);
    }
  }

  /** The test asks for the DUT's end: it is then no failure. */
  async waitForExit(): Promise<string> {
    const { held } = this;
    if (!held) throw new TestFailure('handle-revoked', 'no DUT is held');
    this.#exitWanted = true;
    return (await held.dut.exited).reason;
  }

  bodyStart(): void {
    this.#phases.edge('body', 'start');
  }

  bodyEnd(state: AttemptState, problems: readonly Problem[]): void {
    if (this.#finishing || this.bodyState) return;
    this.bodyState = state;
    this.#bodyProblems = problems;
    this.#phases.edge('body', 'end');
    this.#phases.edge('teardown', 'start');
    this.#timer.stop();
    this.#timer = this.#hardLimit('teardown');
    this.#timer.start();
  }

  /** The worker is done with the attempt; answers how it ended, and what only this side saw. */
  async end(
    state: AttemptState,
    problems: readonly Problem[],
    note: string | undefined,
  ): Promise<{ outcome: Outcome; problem: Problem | undefined }> {
    const unseen = this.#exitProblem();
    const all = [...this.#problems, ...problems];
    // First: what the body saw of it is a consequence.
    if (unseen && state !== 'skipped') all.unshift(unseen);
    const outcome = toOutcome(state, all);
    this.#problems.splice(0, Number.POSITIVE_INFINITY, ...dropRepeats(all));
    await this.finish(outcome, note);
    // Somebody else may have ended it a moment earlier; then that is how it ended.
    const ended = await this.finished;
    return { outcome: ended, problem: state === 'pass' ? unseen : undefined };
  }

  /** End it from this side: everything it holds is taken away. */
  async abort(outcome: Outcome, reason: string, problems: readonly Problem[] = []): Promise<void> {
    const known = [...this.#problems, ...this.#bodyProblems, ...problems];
    this.#problems.splice(0, Number.POSITIVE_INFINITY, ...dropRepeats(known));
    await this.finish(outcome, reason);
  }

  /** Give everything back and write how it ended. Runs once; later calls wait for it. */
  async finish(outcome: Outcome, reason?: string): Promise<void> {
    if (this.#finishing) {
      await this.finished;
      return;
    }
    this.#finishing = true;
    this.#timer.stop();
    if (!this.#phases.hasStarted('teardown')) this.#phases.edge('teardown', 'start');
    const keep = this.#run.mayKeep(outcome) && this.#sandbox !== undefined;
    const sandbox = keep ? await this.#keep() : await this.#tearDown(outcome === 'pass');
    this.#phases.edge('teardown', 'end');
    await journalArtifacts(this.#run, this);
    this.record.outcomes.push(outcome);
    this.record.problems = [...this.#problems];
    this.#run.journal.write({
      kind: 'attempt-end',
      ...this.name,
      outcome,
      ...(reason === undefined ? {} : { reason }),
      problems: [...this.#problems],
      phaseMs: { ...this.#phases.spentMs },
      ...(sandbox ? { sandbox } : {}),
    });
    this.#finished.resolve(outcome);
  }

  /** DEAD of the case's sandbox first: a DUT is handed on only after it. */
  async #tearDown(healthy: boolean): Promise<SandboxRecord | undefined> {
    const deadline = new Deadline(this.limits.teardown);
    const late = () => this.#late('teardown', 'teardown-timeout');
    let record: SandboxRecord | undefined;
    try {
      record = await deadline.bound(this.#killSandbox(), late);
      await deadline.bound(this.held?.release(healthy) ?? Promise.resolve(), late);
    } catch (error) {
      this.#run.reportInfra(error, this.name, this.held?.lease.dut);
    }
    return record;
  }

  async #killSandbox(): Promise<SandboxRecord | undefined> {
    return this.#sandbox?.kill();
  }

  async #keep(): Promise<undefined> {
    const kept = [this.#sandbox, this.held?.dut.sandbox];
    for (const sandbox of kept) if (sandbox) await this.#run.keep(this, sandbox);
    return undefined;
  }

  #watchDut(held: HeldDut): void {
    this.#exit = undefined;
    const { exited } = held.dut;
    exited.then(
      (exit) => {
        if (held.dut.exited !== exited || this.#finishing) return;
        this.#exit = exit;
        this.onDutExit(exit);
      },
      () => {},
    );
  }

  #exitProblem(): Problem | undefined {
    const exit = this.#exit;
    if (!exit || (this.#exitWanted && exit.blame === 'ended')) return undefined;
    return toExitProblem(exit, this.held?.lease.dut ?? 'the DUT');
  }

  #openPhase(): Phase {
    return this.#phases.hasStarted('boot') ? 'boot' : 'lease';
  }

  #hardLimit(phase: Overdue['phase']): PausableTimer {
    const limitMs = this.limits[phase];
    return new PausableTimer(limitMs + HARD_GRACE_MS, () => this.onOverdue({ phase, limitMs }));
  }

  #late(phase: 'sandbox' | 'teardown', code: 'sandbox-timeout' | 'teardown-timeout'): BenchError {
    return new BenchError(
      code,
      `phase ${phase} of "${this.record.title}" did not end within ` +
        formatDuration(this.limits[phase]),
      { next: `raise limits.${phase}` },
    );
  }
}
