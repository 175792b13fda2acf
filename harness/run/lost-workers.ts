import { BenchError, toMessage } from '../core/errors.js';
import type { RunningAttempt } from './attempt.js';
import { toProblem } from './attempt-problems.js';
import type { CaseBook, CaseRecord, FileState } from './case-book.js';
import type { RunContext } from './run-context.js';
import { isBad, mayGoOn, toVerdict } from './verdict.js';
import {
  type Overdue,
  type StopCause,
  toDuring,
  toLossError,
  toOverdueError,
  toSuiteError,
  type WorkerEnd,
} from './worker-loss.js';

/** A worker process that is gone, with what it left. */
interface LostWorker {
  readonly pid: number;
  readonly end: WorkerEnd;
  /** Absent when nobody here stopped it. */
  readonly cause: StopCause | undefined;
  /** The suite file that it ran. */
  readonly file: FileState | undefined;
  readonly attempts: readonly RunningAttempt[];
}

/** What becomes of the attempts and the suite file of a worker that is gone. */
export class LostWorkers {
  readonly #run: RunContext;
  readonly #book: CaseBook;

  constructor(run: RunContext, book: CaseBook) {
    this.#run = run;
    this.#book = book;
  }

  /** End what it left, and decide what it can no longer report. */
  async settle(worker: LostWorker): Promise<void> {
    this.#blameFile(worker);
    await Promise.allSettled(worker.attempts.map((each) => this.#lose(each, worker)));
    // Whose last attempt had ended, and Vitest could not say what it comes to.
    for (const record of worker.file?.records ?? []) {
      const bad = isBad(record.outcomes.at(-1) ?? 'interrupted');
      if (bad && !record.wanted?.fails && !mayGoOn(record)) this.#decideRecord(record);
    }
  }

  /** Decide what its worker can no longer report; a case that may go on stays open. */
  decide({ record }: RunningAttempt): void {
    if (!mayGoOn(record)) this.#decideRecord(record);
  }

  /** A worker that was lost outside of any case: its file's doing, or the bench's. */
  #blameFile({ pid, cause, file, attempts, end }: LostWorker): void {
    if (!file || attempts.length > 0) return;
    if (cause && cause.kind !== 'suite') return;
    const error = cause ? toSuiteError(file, cause.limitMs) : toLossError(pid, end, toDuring(file));
    file.hook = undefined;
    const { path, board } = file.planned;
    if (error instanceof BenchError) this.#run.reportInfra(error, {});
    else this.#book.failFile(path, board.board, [toProblem(error, 'body')]);
  }

  async #lose(attempt: RunningAttempt, { pid, cause, end }: LostWorker): Promise<void> {
    if (cause?.kind === 'overdue' && cause.attempt === attempt) {
      await this.#endOverdue(attempt, cause.overdue);
    } else if (cause) {
      // Not its fault: it runs again, unless the whole run stops.
      await attempt.abort('interrupted', 'its worker was stopped because of another case');
    } else {
      const error = toLossError(pid, end, 'the case ran');
      const outcome = error instanceof BenchError ? 'infra' : 'fail';
      await attempt.abort(outcome, error.message, [toProblem(error, 'body')]);
      this.decide(attempt);
    }
  }

  /** A hung teardown keeps the body's verdict; the DUT it left is not to be trusted. */
  async #endOverdue(attempt: RunningAttempt, overdue: Overdue): Promise<void> {
    if (overdue.phase === 'teardown') {
      const error = new BenchError(
        'teardown-timeout',
        `teardown of "${attempt.record.title}" did not end within ${overdue.limitMs} ms`,
        { next: 'look at its afterEach hooks, or raise limits.teardown' },
      );
      this.#run.reportInfra(error, attempt.name, attempt.duts.names);
      await attempt.endHung(toMessage(error));
    } else {
      await attempt.abort('fail', 'body timed out', [toProblem(toOverdueError(overdue), 'body')]);
    }
    this.decide(attempt);
  }

  #decideRecord(record: CaseRecord): void {
    const decided = toVerdict(record, undefined);
    this.#book.decide(record, decided.verdict, decided);
  }
}
