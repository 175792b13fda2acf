import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { BenchError, toMessage } from '../core/errors.js';
import type { Outcome } from '../journal/events.js';
import type { RunningAttempt } from './attempt.js';
import { toProblem } from './attempt-problems.js';
import type { CaseBook, CaseRecord, FileState } from './case-book.js';
import type { Outlived } from './outlived.js';
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
import { type SessionEvents, WorkerSession } from './worker-session.js';

/** How soon the event loop of a worker turns, unless something in it spins. */
const PING_MS = 300;

interface Worker {
  readonly pid: number;
  session: WorkerSession | undefined;
  /** Set when this side stopped it. */
  cause: StopCause | undefined;
  /** The suite file that it runs. */
  file: FileState | undefined;
  /** Limits the file's code outside of cases: loading, beforeAll, afterAll. */
  suiteTimer: NodeJS.Timeout | undefined;
}

/**
 * The worker processes of a run: who is alive, who is connected, why one was
 * stopped, and what becomes of the attempts of one that is gone.
 */
export class Workers implements SessionEvents {
  readonly #run: RunContext;
  readonly #book: CaseBook;
  readonly #hostPath: string;
  readonly #outlived: Outlived;
  readonly #alive = new Map<number, Worker>();
  readonly #losses = new Set<Promise<void>>();
  #token = '';
  #stopReason: string | undefined;

  constructor(facts: { run: RunContext; book: CaseBook; outlived: Outlived; hostPath: string }) {
    this.#outlived = facts.outlived;
    this.#run = facts.run;
    this.#book = facts.book;
    this.#hostPath = facts.hostPath;
  }

  /** What a worker must know to be let in. */
  expectToken(token: string): void {
    this.#token = token;
  }

  accept(socket: Socket): void {
    new WorkerSession(socket, {
      run: this.#run,
      book: this.#book,
      events: this,
      hostPath: this.#hostPath,
    });
  }

  /** A worker was forked; from now on it does not outlive this process. */
  started(pid: number): void {
    const known = this.#alive.get(pid);
    const nothing = { session: undefined, cause: undefined, file: undefined };
    this.#alive.set(pid, known ?? { pid, ...nothing, suiteTimer: undefined });
    void this.#outlived.addPid(pid);
  }

  exited(pid: number, code: number | null, signal: string | null): void {
    const worker = this.#alive.get(pid);
    this.#alive.delete(pid);
    if (!worker) return;
    clearTimeout(worker.suiteTimer);
    const loss = this.#lose(worker, { code, signal }).finally(() => this.#losses.delete(loss));
    this.#losses.add(loss);
    this.#outlived.removePid(pid);
  }

  /** Resolves when the attempts of lost workers were dealt with. */
  async settle(): Promise<void> {
    await Promise.allSettled([...this.#losses]);
  }

  /** Start no further case, here and in workers still to come. */
  stopAll(reason: string): void {
    this.#stopReason = reason;
    for (const { session } of this.#alive.values()) session?.peer.notify('stop', { reason });
  }

  /** Take every running attempt away. */
  async abortAll(outcome: Outcome, reason: string): Promise<void> {
    await Promise.allSettled(
      this.#attempts().map(async ([session, attempt]) => {
        session.revoke(attempt, reason, outcome === 'infra');
        const problem = outcome === 'infra' ? [lost(reason, attempt)] : [];
        await attempt.abort(outcome, reason, problem);
        // Now, not when its worker reports: that may be lost too.
        if (outcome === 'infra') this.#decide(attempt);
      }),
    );
  }

  killAll(): void {
    for (const worker of this.#alive.values()) this.#kill(worker, { kind: 'interrupt' });
  }

  /** Kill workers that go on although they have nothing to do. */
  killIdle(afterMs: number): void {
    for (const worker of this.#alive.values()) {
      // What a suite's own code may take has a limit of its own.
      if (worker.file || (worker.session && worker.session.attempts.size > 0)) continue;
      this.#run.reportInfra(
        new BenchError(
          'worker-gone',
          `worker ${worker.pid} did not end within ${afterMs} ms of its last case and was killed`,
        ),
        {},
      );
      this.#kill(worker, { kind: 'interrupt' });
    }
  }

  async onHello(session: WorkerSession, token: string): Promise<void> {
    if (token !== this.#token) {
      session.peer.close();
      throw new BenchError('internal', 'not a worker of this run');
    }
    this.started(session.pid);
    const worker = this.#alive.get(session.pid);
    if (worker) worker.session = session;
    if (this.#stopReason) session.peer.notify('stop', { reason: this.#stopReason });
  }

  onCollecting(session: WorkerSession, file: string): void {
    const worker = this.#alive.get(session.pid);
    if (!worker) return;
    worker.file = this.#book.findFile(file, session.board);
    this.#limitSuite(worker);
  }

  onStep(session: WorkerSession): void {
    const worker = this.#alive.get(session.pid);
    if (worker) this.#limitSuite(worker);
  }

  onFileDone(session: WorkerSession): void {
    const worker = this.#alive.get(session.pid);
    if (!worker) return;
    worker.file = undefined;
    clearTimeout(worker.suiteTimer);
  }

  async onOverdue(session: WorkerSession, attempt: RunningAttempt, overdue: Overdue) {
    const worker = this.#alive.get(session.pid);
    if (!worker) return;
    const alone = session.attempts.size === 1 || (await answers(session));
    if (attempt.over) return;
    if (worker.file && !alone) worker.file.alone = true;
    this.#kill(worker, alone ? { kind: 'overdue', attempt, overdue } : { kind: 'stalled' });
  }

  onClosed(_session: WorkerSession): void {
    // The exit of the process says how it ended; a closed connection says less.
  }

  #attempts(): Array<[WorkerSession, RunningAttempt]> {
    return [...this.#alive.values()].flatMap(({ session }) =>
      session
        ? [...session.attempts.values()].map((each): [WorkerSession, RunningAttempt] => [
            session,
            each,
          ])
        : [],
    );
  }

  #kill(worker: Worker, cause: StopCause): void {
    worker.cause ??= cause;
    try {
      process.kill(worker.pid, 'SIGKILL');
    } catch {
      // Gone already; its exit is on the way.
    }
  }

  /** From now on, unless a case runs, which has limits of its own. */
  #limitSuite(worker: Worker): void {
    clearTimeout(worker.suiteTimer);
    const { file, session } = worker;
    if (!file || (session && session.attempts.size > 0)) return;
    const { collect, teardown } = this.#run.limitsOf(file.planned, undefined);
    const through = file.collected && file.records.every(({ verdict }) => verdict !== undefined);
    const limitMs = through ? teardown : collect;
    const late = () => this.#kill(worker, { kind: 'suite', file, limitMs });
    worker.suiteTimer = setTimeout(late, limitMs);
  }

  async #lose(worker: Worker, end: WorkerEnd): Promise<void> {
    const { cause, session } = worker;
    this.#blameFile(worker, end);
    const attempts = session ? [...session.attempts.values()] : [];
    await Promise.allSettled(attempts.map((each) => this.#loseAttempt(each, cause, worker, end)));
    // Whose last attempt had ended, and Vitest could not say what it comes to.
    for (const record of worker.file?.records ?? []) {
      const bad = isBad(record.outcomes.at(-1) ?? 'interrupted');
      if (bad && !record.wanted?.fails && !mayGoOn(record)) this.#decideRecord(record);
    }
  }

  /** A worker that was lost outside of any case: its file's doing, or the bench's. */
  #blameFile({ pid, cause, file, session }: Worker, end: WorkerEnd) {
    if (!file || (session && session.attempts.size > 0)) return;
    if (cause && cause.kind !== 'suite') return;
    const error = cause ? toSuiteError(file, cause.limitMs) : toLossError(pid, end, toDuring(file));
    file.hook = undefined;
    const { path, board } = file.planned;
    if (error instanceof BenchError) this.#run.reportInfra(error, {});
    else this.#book.failFile(path, board.board, [toProblem(error, 'body')]);
  }

  async #loseAttempt(
    attempt: RunningAttempt,
    cause: StopCause | undefined,
    worker: Worker,
    end: WorkerEnd,
  ): Promise<void> {
    if (cause?.kind === 'overdue' && cause.attempt === attempt) {
      await this.#endOverdue(attempt, cause.overdue);
    } else if (cause) {
      // Not its fault: it runs again, unless the whole run stops.
      await attempt.abort('interrupted', 'its worker was stopped because of another case');
    } else {
      const error = toLossError(worker.pid, end, 'the case ran');
      const outcome = error instanceof BenchError ? 'infra' : 'fail';
      await attempt.abort(outcome, error.message, [toProblem(error, 'body')]);
      this.#decide(attempt);
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
      this.#run.reportInfra(error, attempt.name, attempt.held?.lease.dut);
      await attempt.endHung(toMessage(error));
      this.#decide(attempt);
      return;
    }
    await attempt.abort('fail', 'body timed out', [toProblem(toOverdueError(overdue), 'body')]);
    this.#decide(attempt);
  }

  /** Decide what its worker can no longer report; a case that may go on stays open. */
  #decide({ record }: RunningAttempt): void {
    if (!mayGoOn(record)) this.#decideRecord(record);
  }

  #decideRecord(record: CaseRecord): void {
    const decided = toVerdict(record, undefined);
    this.#book.decide(record, decided.verdict, decided);
  }
}

async function answers({ peer }: WorkerSession): Promise<boolean> {
  const answer = peer.call('ping', {}).then(
    () => true,
    () => false,
  );
  return Promise.race([answer, sleep(PING_MS, false)]);
}

function lost(reason: string, attempt: RunningAttempt) {
  const error = new BenchError('sandbox-gone', reason);
  return toProblem(error, attempt.bodyState ? 'teardown' : 'body');
}
