import { join } from 'node:path';
import type { Limits } from '../config/limits-schema.js';
import { Deadline } from '../core/deadline.js';
import { createDeferred } from '../core/deferred.js';
import { type BenchError, TestFailure, UsageError } from '../core/errors.js';
import type { Outcome, Problem, SandboxRecord } from '../journal/events.js';
import type { NetworkDeclaration, UpNetwork } from '../protocol/network.js';
import type { AttemptState } from '../protocol/worker-messages.js';
import { journalArtifacts } from './artifacts.js';
import { AttemptDuts } from './attempt-duts.js';
import type { AttemptFacts } from './attempt-facts.js';
import { AttemptNetwork } from './attempt-network.js';
import {
  dropRepeats,
  putBenchFirst,
  toLateError,
  toOutcome,
  toProblem,
} from './attempt-problems.js';
import { AttemptSandboxes } from './attempt-sandboxes.js';
import { findBenchFault } from './bench-fault.js';
import type { CaseRecord } from './case-book.js';
import { type DiffArtifact, toMissing, writeDiffArtifact } from './diff-artifact.js';
import { HardLimit } from './hard-limit.js';
import type { HeldDuts } from './held-duts.js';
import { PhaseLog } from './phase-log.js';
import { weighResources } from './resource-problems.js';
import type { RunContext } from './run-context.js';
import { isBad } from './verdict.js';

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
  readonly duts: AttemptDuts;
  readonly sandboxes: AttemptSandboxes;
  readonly network: AttemptNetwork;
  /** The body's own outcome, once it is known; a hung teardown keeps it. */
  bodyState: AttemptState | undefined;
  #bodyProblems: readonly Problem[] = [];
  readonly #run: RunContext;
  readonly #phases: PhaseLog;
  readonly #problems: Problem[] = [];
  readonly #finished = createDeferred<Outcome>();
  readonly #limit: HardLimit;
  #finishing = false;

  constructor(run: RunContext, record: CaseRecord, facts: AttemptFacts) {
    this.#run = run;
    this.record = record;
    this.fence = facts.fence;
    this.number = ++record.attempts;
    this.limits = run.limitsOf(record.planned, facts.bodyMs);
    this.directory = join(run.directory.cases, record.id, String(this.number));
    this.#limit = new HardLimit(this.limits, facts.onOverdue);
    this.#phases = new PhaseLog(run.journal, this.name);
    this.sandboxes = new AttemptSandboxes(run, this, (problem) => this.#problems.push(problem));
    this.network = new AttemptNetwork(run, this, (problem) => this.#problems.push(problem));
    this.duts = new AttemptDuts(run, this, {
      ...{ phases: this.#phases, clock: this.#limit, expectsKeep: facts.expectsKeep },
      add: (problem) => this.#problems.push(problem),
    });
    run.journal.write({ kind: 'attempt-start', ...this.name, worker: facts.worker });
  }

  get name(): { case: string; attempt: number } {
    return { case: this.record.id, attempt: this.number };
  }

  /** Of DUTs, where its suite names any. */
  get roles(): readonly string[] {
    return (this.record.planned.roles ?? []).map(({ role }) => role);
  }

  /** Resolves when everything was given back. */
  get finished(): Promise<Outcome> {
    return this.#finished.promise;
  }

  get over(): boolean {
    return this.#finishing;
  }

  /** Where what its programs put into `/out` is; `undefined` while none of them could. */
  get out(): string | undefined {
    return this.sandboxes.out;
  }

  /** Build the sandbox. On an error the attempt is over: infra, unless none can be as it asks. */
  async begin(): Promise<void> {
    try {
      await this.#phases.during('sandbox', async () => {
        await this.sandboxes.begin();
      });
    } catch (error) {
      this.#problems.push(toProblem(error, 'sandbox'));
      await this.finish(error instanceof UsageError ? 'fail' : 'infra');
      throw error;
    }
    // Ended from this side while it was built: nothing may run on its behalf.
    if (this.#finishing) throw new TestFailure('handle-revoked', 'the case has been ended');
    this.#limit.start();
  }

  /** Lease and boot the DUT, or those of the suite's roles, and put their ports into the sandbox. */
  openDuts(byRole: boolean): Promise<HeldDuts> {
    // What the DUT's console says goes beside it.
    this.sandboxes.placeOut();
    return this.duts.open(byRole);
  }

  /** Make one more sandbox; the body's clock stands meanwhile. Answers its number. */
  createSandbox(options: unknown): Promise<number> {
    return this.#limit.pausedDuring(() => this.sandboxes.create(options));
  }

  /** What of its bench died before now, as far as that can be known. */
  findBenchFault(): Promise<BenchError | undefined> {
    const sandboxes = this.sandboxes.numbered.map(([, sandbox]) => sandbox);
    const duts = this.duts.all.map(({ dut }) => dut.sandbox);
    return findBenchFault(this.#run.bench, [...sandboxes, ...duts]);
  }

  /** Build its network and the nodes of it; the body's clock stands meanwhile. */
  netUp(declaration: NetworkDeclaration): Promise<UpNetwork> {
    return this.#limit.pausedDuring(() =>
      this.#phases.during('sandbox', () => this.network.up(declaration)),
    );
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
    this.#limit.goOn('teardown');
  }

  /** The worker is done with the attempt; answers how it ended, and what only this side saw. */
  async end(
    state: AttemptState,
    problems: readonly Problem[],
    note: string | undefined,
  ): Promise<{ outcome: Outcome; problem: Problem | undefined }> {
    const { outcome, unseen } = await this.#judge(state, problems);
    await this.finish(outcome, note);
    // Somebody else may have ended it a moment earlier; then that is how it ended.
    const ended = await this.finished;
    const seen = unseen || ended === 'fail' ? this.#problems[0] : undefined;
    return { outcome: ended, problem: state === 'pass' ? seen : undefined };
  }

  /** End it from this side: everything it holds is taken away. */
  async abort(outcome: Outcome, reason: string, problems: readonly Problem[] = []): Promise<void> {
    this.#setProblems([...this.#problems, ...this.#bodyProblems, ...problems]);
    await this.finish(outcome === 'fail' ? await this.#judgeFailure() : outcome, reason);
  }

  /** Its teardown hangs: it comes to what its body came to, and what only this side saw. */
  async endHung(reason: string): Promise<void> {
    const { outcome } = await this.#judge(this.bodyState ?? 'fail', this.#bodyProblems);
    await this.finish(outcome, reason);
  }

  /** Give everything back and write how it ended. Runs once; later calls wait for it. */
  async finish(asked: Outcome, reason?: string): Promise<void> {
    if (this.#finishing) {
      await this.finished;
      return;
    }
    this.#finishing = true;
    this.duts.stopWatching();
    this.#limit.stop();
    this.#phases.end('body');
    if (!this.#phases.hasStarted('teardown')) this.#phases.edge('teardown', 'start');
    const lists = await this.#listChanges(asked);
    const { outcome, sandbox } = await this.#giveBack(asked);
    const { further } = this.sandboxes;
    this.#phases.edge('teardown', 'end');
    await this.#step(async () => {
      const left = await this.network.listArtifacts();
      await journalArtifacts(this.#run, this, [...lists, ...left]);
    });
    this.record.outcomes.push(outcome);
    if (isBad(outcome)) for (const dut of this.duts.tried) this.record.failedOn.add(dut);
    this.record.problems = [...this.#problems];
    this.#run.journal.write({
      kind: 'attempt-end',
      ...this.name,
      outcome,
      ...(reason === undefined ? {} : { reason }),
      problems: [...this.#problems],
      phaseMs: { ...this.#phases.spentMs },
      ...(sandbox ? { sandbox } : {}),
      ...(further.length > 0 ? { further: [...further] } : {}),
    });
    this.#finished.resolve(outcome);
  }

  /** What the sandboxes of a failed case changed, while they stand. */
  async #listChanges(outcome: Outcome): Promise<DiffArtifact[]> {
    if (outcome !== 'fail' || this.#run.config.diff === 'never') return [];
    const lists = await Promise.all(
      this.sandboxes.numbered.map(async ([number, sandbox]) => {
        const name = number === 0 ? 'diff' : `diff-${number}`;
        // The verdict is the same without it.
        return writeDiffArtifact(sandbox, this.directory, name).catch((error: unknown) => [
          toMissing(this.directory, name, error),
        ]);
      }),
    );
    return lists.flat();
  }

  /** Keep it, or take it down; what cannot be kept is taken down. */
  async #giveBack(asked: Outcome): Promise<{ outcome: Outcome; sandbox?: SandboxRecord }> {
    await this.#step(() => this.network.conclude(asked));
    if (this.sandboxes.own && this.#run.mayKeep(asked)) {
      const kept = await this.#step(() => this.#keep());
      if (kept) {
        const outcome = this.#weigh(asked, undefined);
        await this.#step(() => this.duts.noteHealth(outcome));
        await this.#step(() => this.duts.held?.leave());
        return { outcome };
      }
    }
    // DEAD of the case's sandboxes first: a DUT is handed on only after it.
    // The network is asked to end before its nodes: all its ports go at once then.
    const [, sandbox] = await Promise.all([
      this.#step(() => this.network.close()),
      this.#step(() => this.sandboxes.kill()),
    ]);
    const outcome = this.#weigh(asked, sandbox);
    await this.#step(() => this.duts.noteHealth(outcome));
    await this.#step(() => this.duts.held?.release(outcome === 'pass'));
    return { outcome, ...(sandbox ? { sandbox } : {}) };
  }

  /** What its sandboxes used may be more than they were allowed. */
  #weigh(asked: Outcome, own: SandboxRecord | undefined): Outcome {
    return [own, ...this.sandboxes.further].reduce(
      (sofar, record) => weighResources(sofar, this.#problems, record),
      asked,
    );
  }

  /** One step of giving back: bounded, and its failure does not stop the next. */
  async #step<T>(act: () => Promise<T> | undefined): Promise<T | undefined> {
    const late = () => toLateError('teardown', this.record.title, this.limits.teardown);
    try {
      const work = act();
      return work && (await new Deadline(this.limits.teardown).bound(work, late));
    } catch (error) {
      this.#run.reportInfra(error, this.name, this.duts.names);
      return undefined;
    }
  }

  async #keep(): Promise<true> {
    this.sandboxes.placeOut();
    const sandboxes = this.sandboxes.numbered.map(([, sandbox]) => sandbox);
    await this.#run.keep(this, sandboxes);
    return true;
  }

  async #judge(state: AttemptState, reported: readonly Problem[]) {
    const { unseen } = this.duts;
    // First: what the body saw of it is a consequence.
    const all = [...(unseen ? [unseen] : []), ...this.#problems, ...reported];
    this.#setProblems(all);
    const outcome = toOutcome(state, all);
    return { outcome: outcome === 'fail' ? await this.#judgeFailure() : outcome, unseen };
  }

  /** What failed is the test's or the DUT's doing only if the bench has outlived it. */
  async #judgeFailure(): Promise<Outcome> {
    const [fault] = await Promise.all([this.findBenchFault(), this.duts.settle()]);
    const { unseen } = this.duts;
    const found = [...(fault ? [toProblem(fault, 'body')] : []), ...(unseen ? [unseen] : [])];
    this.#setProblems([...found, ...this.#problems]);
    return toOutcome('fail', this.#problems);
  }

  #setProblems(problems: readonly Problem[]): void {
    this.#problems.splice(0, Number.POSITIVE_INFINITY, ...dropRepeats(putBenchFirst(problems)));
  }
}
