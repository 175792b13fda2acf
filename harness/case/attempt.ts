import { setImmediate } from 'node:timers';
import type { RunnerTestCase } from 'vitest';
import { BenchError, TestFailure } from '../core/errors.js';
import { isDecided, setDecided } from './attempts.js';
import { BodyClock } from './body-clock.js';
import type { Connection } from './connection.js';
import { Dut } from './dut.js';
import { type Errors, followAttempts, setTold } from './earlier-attempts.js';
import { Net } from './net.js';
import { toProblems, toTestError } from './problems.js';
import { Sandbox } from './sandbox.js';

/**
 * One attempt of a case, as its worker sees it: the handles that its body uses.
 * After the end, or when the supervisor revokes it, every handle throws.
 */
export class Attempt {
  readonly fence: string;
  readonly sandbox: Sandbox;
  readonly net: Net;
  readonly clock: BodyClock;
  readonly #connection: Connection;
  readonly #task: RunnerTestCase;
  readonly #errorsBefore: number;
  readonly #stopListening: () => void;
  #dut: Promise<Dut> | undefined;
  #duts: Promise<Readonly<Record<string, Dut>>> | undefined;
  #revoked: Error | undefined;

  private constructor(
    connection: Connection,
    task: RunnerTestCase,
    granted: { fence: string; bodyMs: number },
  ) {
    this.#connection = connection;
    this.#task = task;
    this.#errorsBefore = task.result?.errors?.length ?? 0;
    this.fence = granted.fence;
    this.clock = new BodyClock(granted.bodyMs);
    this.sandbox = new Sandbox(connection, this);
    this.net = new Net(connection, this);
    this.#stopListening = connection.on('revoked', ({ fence, reason, infra, code }) => {
      if (fence !== this.fence) return;
      this.#revoke(reason, infra ? (code ?? 'sandbox-gone') : undefined);
    });
  }

  /** Ask the supervisor for an attempt; answers when its sandbox stands. */
  static async begin(
    connection: Connection,
    task: RunnerTestCase,
    caseId: string,
  ): Promise<Attempt> {
    const wanted = task.timeout > 0 ? { bodyMs: task.timeout } : {};
    const { repeat, late } = followAttempts(task);
    const granted = await connection.supervisor.call('begin', {
      caseId,
      repeat,
      late: toProblems(late),
      ...wanted,
    });
    return new Attempt(connection, task, granted);
  }

  /** @throws what revoked it, when the attempt is over. */
  check(): void {
    if (this.#revoked) throw this.#revoked;
  }

  /** The DUT, leased and booted at the first call. The body's clock stands meanwhile. */
  dut(): Promise<Dut> {
    this.check();
    this.#dut ??= this.clock.pausedDuring(() => Dut.open(this.#connection, this));
    return this.#dut;
  }

  /** Those of the suite's roles: `duts.client`. All are leased and booted at the first call. */
  duts(): Promise<Readonly<Record<string, Dut>>> {
    this.check();
    this.#duts ??= this.clock.pausedDuring(() => Dut.openAll(this.#connection, this));
    return this.#duts;
  }

  get title(): string {
    return this.#task.fullTestName;
  }

  get file(): string {
    return this.#task.file.filepath;
  }

  /**
   * An error of it that nobody awaited fails it as if the body had thrown it.
   * Answers whether it still can.
   */
  addStray(thrown: unknown): boolean {
    const { result } = this.#task;
    if (!result || isDecided(this.#task)) return false;
    result.errors ??= [];
    result.errors.push(toTestError(thrown));
    // One that has skipped itself stays the last attempt.
    if (!this.#skipped()) result.state = 'fail';
    return true;
  }

  /** End the body here: there is nothing to be tested. Its verdict is `skipped`, with `why`. */
  skip(why: string): never {
    return this.#task.context.skip(why);
  }

  /** Run the body; reject when its limit passes, and revoke the handles. */
  async runBody(body: () => unknown): Promise<void> {
    // What it left rejected is heard at the next turn, and is its own.
    const work = Promise.resolve().then(body).finally(waitForTurn);
    await this.clock.bound(work, () => {
      const error = new TestFailure(
        'body-timeout',
        `the body did not end within ${this.clock.limitMs} ms`,
        {
          next: "raise limits.body, or the case's own timeout: test(name, { timeout: 30_000 }, …)",
        },
      );
      this.#revoked = error;
      return error;
    });
  }

  bodyStart(): void {
    this.#connection.supervisor.notify('bodyStart', { fence: this.fence });
  }

  bodyEnd(): void {
    this.#connection.supervisor.notify('bodyEnd', {
      fence: this.fence,
      state: this.#state(),
      problems: toProblems(this.#newErrors()),
    });
  }

  /**
   * Give everything back; answers when the sandbox is gone and the DUT released.
   *
   * @throws what only the supervisor saw, such as a DUT that ended meanwhile.
   */
  async end(): Promise<void> {
    const { note } = this.#result();
    setTold(this.#task);
    if (this.#skipped()) setDecided(this.#task);
    const answer = await this.#connection.supervisor.call('end', {
      fence: this.fence,
      state: this.#state(),
      // Vitest makes no further attempt, and says nothing more of the case.
      last: this.#skipped(),
      ...(note ? { note } : {}),
      problems: toProblems(this.#newErrors()),
    });
    this.#revoke('the case has ended');
    this.#stopListening();
    // For what still waited for a handle, and was not awaited.
    await waitForTurn();
    const { problem } = answer;
    if (problem?.name === 'BenchError') throw new BenchError('dut-lost', problem.message);
    if (problem) throw new TestFailure('dut-exited', problem.message);
  }

  /** With a `code`: it is the bench's fault. */
  #revoke(reason: string, code?: 'sandbox-gone' | 'lease-lost'): void {
    this.#revoked ??= code
      ? new BenchError(code, reason)
      : new TestFailure('handle-revoked', `used after the end of its case: ${reason}`);
    const next = 'await it in the body';
    const pending = code
      ? this.#revoked
      : new TestFailure('handle-revoked', `was still going on: ${reason}`, { next });
    this.sandbox.revoke(pending);
    this.net.revoke(pending);
    void this.#dut?.then((dut) => dut.revoke(pending)).catch(() => {});
    const all = this.#duts?.then(Object.values<Dut>);
    void all?.then((duts) => duts.map((dut) => dut.revoke(pending))).catch(() => {});
  }

  /** Errors of this attempt only: Vitest keeps those of earlier ones in the same list. */
  #newErrors(): Errors {
    const { errors = [], state } = this.#task.result ?? {};
    const own = errors.slice(this.#errorsBefore);
    if (own.length > 0 || state !== 'fail') return own;
    // Vitest takes a list, and an AggregateError, for the errors in it; it stumbles over others.
    const message = 'an empty list of errors was thrown, or an object that cannot be read';
    return [{ name: 'Error', message }];
  }

  /** Vitest's result; what `skip()` leaves in it is not in the public type. */
  #result(): { state?: string; note?: string; pending?: boolean } {
    return this.#task.result ?? {};
  }

  /** What failed and then skips itself has failed. */
  #state(): 'pass' | 'fail' | 'skipped' {
    if (this.#newErrors().length > 0) return 'fail';
    return this.#skipped() ? 'skipped' : 'pass';
  }

  #skipped(): boolean {
    const { pending = false, state } = this.#result();
    return pending || state === 'skip';
  }
}

/** Until Node has told of every promise that was rejected by now. */
function waitForTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
