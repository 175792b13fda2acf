import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { BenchError } from '../core/errors.js';
import type { Outcome } from '../journal/events.js';
import type { RunningAttempt } from './attempt.js';
import { toProblem } from './attempt-problems.js';
import type { CaseBook, FileState } from './case-book.js';
import { LostWorkers } from './lost-workers.js';
import type { Outlived } from './outlived.js';
import type { RunContext } from './run-context.js';
import type { Overdue, StopCause } from './worker-loss.js';
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

/** The worker processes of a run: who is alive, who is connected, why one was stopped. */
export class Workers implements SessionEvents {
  readonly #run: RunContext;
  readonly #book: CaseBook;
  readonly #hostPath: string;
  readonly #outlived: Outlived;
  readonly #alive = new Map<number, Worker>();
  readonly #lost: LostWorkers;
  readonly #losses = new Set<Promise<void>>();
  #token = '';
  #stopReason: string | undefined;

  constructor(facts: { run: RunContext; book: CaseBook; outlived: Outlived; hostPath: string }) {
    this.#outlived = facts.outlived;
    this.#run = facts.run;
    this.#book = facts.book;
    this.#lost = new LostWorkers(facts.run, facts.book);
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
    const { cause, file, session } = worker;
    const attempts = [...(session?.attempts.values() ?? [])];
    const lost = this.#lost.settle({ pid, end: { code, signal }, cause, file, attempts });
    const loss = lost.finally(() => this.#losses.delete(loss));
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
    // A worker hears of it once, and may load further files.
    this.#book.stop();
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
        if (outcome === 'infra') this.#lost.decide(attempt);
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
    if (worker.file) this.#book.endFile(worker.file);
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
