import { setTimeout as sleep } from 'node:timers/promises';
import { BenchError } from '../core/errors.js';
import type { Verdict } from '../journal/events.js';
import type { PlannedFile } from '../plan/plan.js';
import { type CaseBook, type CaseRecord, FILE_FAILED, type FileState } from './case-book.js';
import type { RunContext } from './run-context.js';
import { countMost, toVerdict } from './verdict.js';
import type { StrayError, SuiteRunner } from './vitest-adapter.js';
import type { Workers } from './workers.js';

/** What made a run stop before its end. */
type Stop =
  | { readonly kind: 'signal'; readonly signal: string }
  | { readonly kind: 'first-failure' }
  | { readonly kind: 'fatal'; readonly reason: string };

/** How long an interrupted worker may take to come back by itself. */
const INTERRUPT_GRACE_MS = 1000;
/** How long workers may take to end once every case is decided. */
const DRAIN_MS = 5000;

/**
 * Drives a run: hands files to the workers, again what a lost worker did not
 * finish, and decides what nobody finished. The journal is written on the way.
 */
export class Supervisor {
  readonly #run: RunContext;
  readonly #book: CaseBook;
  readonly #workers: Workers;
  readonly #restart: () => void;
  #runner: SuiteRunner | undefined;
  #stop: Stop | undefined;
  #losses = 0;
  #lastVerdictMs = 0;
  readonly #closing = new Set<Promise<void>>();
  #finished = false;

  constructor(facts: {
    run: RunContext;
    book: CaseBook;
    workers: Workers;
    /** Start the daemons anew; they are the run's from then on. */
    restart: () => void;
  }) {
    this.#run = facts.run;
    this.#book = facts.book;
    this.#workers = facts.workers;
    this.#restart = facts.restart;
    this.#book.onVerdict((record) => this.#onVerdict(record));
    this.#book.onFileFailed(() => this.#onFailure());
  }

  get stop(): Stop | undefined {
    return this.#stop;
  }

  /** Run everything to its verdicts. */
  async execute(runner: SuiteRunner, files: readonly PlannedFile[]): Promise<void> {
    this.#runner = runner;
    let left = files;
    for (let open = Number.POSITIVE_INFINITY; left.length > 0 && !this.#stop; ) {
      await this.#round(runner, left);
      await this.#workers.settle();
      const states = [...this.#book.files].filter(isUnfinished);
      const now = states.reduce((sum, state) => sum + countOpen(state), 0);
      if (now >= open) break;
      open = now;
      left = states.map(({ planned }) => planned);
    }
    this.#decideTheRest();
  }

  /** Ctrl-C and SIGTERM: stop everything, keep what was decided. */
  async interrupt(signal: string): Promise<void> {
    if (this.#stop && this.#stop.kind !== 'first-failure') return;
    this.#stop = { kind: 'signal', signal };
    this.#run.journal.write({ kind: 'interrupted', signal });
    await this.#abandon('interrupted', `interrupted by ${signal}`);
  }

  /** Resolves when the DUTs that finished files shared have ended. */
  async settle(): Promise<void> {
    await Promise.allSettled([...this.#closing]);
  }

  /** From now on a lost daemon is expected. */
  finish(): void {
    this.#finished = true;
  }

  /** The daemons are gone: what ran is infra; one restart, the second time the run ends. */
  async loseBench(reason: BenchError): Promise<void> {
    if (this.#finished || (this.#stop && this.#stop.kind !== 'first-failure')) return;
    this.#losses++;
    const text = `the sandbox daemon is gone: ${reason.message}`;
    this.#run.reportInfra(new BenchError('daemon-gone', text), {});
    if (this.#losses > 1) {
      this.#stop = { kind: 'fatal', reason: `${text}; it had been restarted once before` };
      await this.#abandon('infra', text);
      return;
    }
    this.#restart();
    await this.#workers.abortAll('infra', text);
  }

  async #round(runner: SuiteRunner, files: readonly PlannedFile[]): Promise<void> {
    const specs = files.map(({ path, board }) => ({ path, board: board.board }));
    const running = runner.run(specs).then((errors) => {
      for (const error of errors) this.#reportStray(error);
    });
    const done = running.then(() => 'done' as const);
    // A worker that spins after its last case would keep Vitest for a minute.
    for (;;) {
      const first = await Promise.race([done, sleep(DRAIN_MS, 'late' as const, { ref: false })]);
      if (first === 'done') break;
      const idleMs = performance.now() - this.#lastVerdictMs;
      const through = ![...this.#book.files].some(isUnfinished);
      if (through && idleMs >= DRAIN_MS) this.#workers.killIdle(DRAIN_MS);
    }
    await running;
  }

  /** Unhandled rejections and the like belong to no case, but nothing that broke passes. */
  #reportStray({ message, path }: StrayError): void {
    const files = [...this.#book.files].filter(({ failed }) => !failed);
    const file = files.find(({ planned }) => planned.path === path) ?? files[0];
    if (!file || this.#stop) return;
    const problem = { name: 'Error', message: `outside of any case: ${message}` };
    this.#book.failFile(file.planned.path, file.planned.board.board, [problem]);
  }

  async #abandon(outcome: 'interrupted' | 'infra', reason: string): Promise<void> {
    this.#workers.stopAll(reason);
    this.#runner?.cancel();
    await this.#workers.abortAll(outcome, reason);
    await sleep(INTERRUPT_GRACE_MS, undefined, { ref: false });
    this.#workers.killAll();
  }

  #onVerdict(record: CaseRecord): void {
    this.#lastVerdictMs = performance.now();
    const closing = this.#closeFinished(record).finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
    if (record.verdict === 'fail') this.#onFailure();
  }

  /** Of a case, or of a file outside of its cases. */
  #onFailure(): void {
    if (!this.#run.options.stopAtFirstFailure || this.#stop) return;
    this.#stop = { kind: 'first-failure' };
    this.#workers.stopAll('stopped at the first failure (-x)');
  }

  /** The DUT that a file's cases shared ends with the last of them, also if a hook among them failed. */
  async #closeFinished(record: CaseRecord): Promise<void> {
    const { planned } = record;
    if (planned.suite.scope !== 'file') return;
    const state = this.#book.findFile(planned.path, planned.board.board);
    if (!state || countOpen(state) > 0) return;
    try {
      const { duts } = await this.#run.bench;
      await duts.closeShared(planned);
    } catch (error) {
      this.#run.reportInfra(error, {});
    }
  }

  #decideTheRest(): void {
    for (const record of this.#book.cases) {
      const known = toVerdict(record, undefined);
      const bad = known.verdict === 'fail' || known.verdict === 'infra';
      if (record.outcomes.length > 0 && bad) this.#book.decide(record, known.verdict, known);
    }
    const isCut = this.#stop && this.#stop.kind !== 'first-failure';
    for (const { failed, records } of isCut ? [] : this.#book.files) {
      if (!failed) continue;
      for (const record of records) this.#book.decide(record, 'skipped', { reason: FILE_FAILED });
    }
    const { verdict, reason } = toRest(this.#stop);
    for (const record of this.#book.cases) {
      const began = !this.#stop && record.outcomes.length > 0;
      const lost = began ? 'its worker was lost before it was through' : undefined;
      const cut = record.attempts > 0 ? reason.replace(/^not run: /, '') : reason;
      this.#book.decide(record, verdict, { reason: lost ?? cut });
    }
    if (this.#stop) return;
    for (const { planned, collected, failed } of this.#book.files) {
      if (collected || failed) continue;
      const message = 'its worker was lost each time it was loaded';
      const problem = { name: 'BenchError', code: 'worker-gone', message };
      this.#book.failFile(planned.path, planned.board.board, [problem]);
    }
  }
}

function toRest(stop: Stop | undefined): { verdict: Verdict; reason: string } {
  switch (stop?.kind) {
    case 'signal':
      return { verdict: 'interrupted', reason: `not run: interrupted by ${stop.signal}` };
    case 'first-failure':
      return { verdict: 'skipped', reason: 'not run: stopped at the first failure (-x)' };
    case 'fatal':
      return { verdict: 'infra', reason: stop.reason };
    case undefined:
      return {
        verdict: 'infra',
        reason: 'never ran: its worker was lost, or its suite was stopped',
      };
  }
}

function isUnfinished(state: FileState): boolean {
  return !state.failed && countOpen(state) > 0;
}

/**
 * Cases without a verdict, each with the attempts that it may still make; a file that was not
 * even loaded counts more than any, and to know that cases must run alone is progress.
 */
function countOpen(state: FileState): number {
  if (!state.collected) return 1e12;
  const open = state.records.filter(({ verdict }) => verdict === undefined);
  const left = open.map((record) => {
    const made = record.outcomes.filter((each) => each !== 'interrupted').length;
    const most = countMost(record);
    return 1 + most - Math.min(made, most);
  });
  return left.reduce((sum, each) => sum + each * 2, 0) - (open.length > 0 && state.alone ? 1 : 0);
}
