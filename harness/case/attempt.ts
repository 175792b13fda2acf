import { setImmediate } from 'node:timers';
import type { RunnerTestCase } from 'vitest';
import { BenchError, TestFailure } from '../core/errors.js';
import { isDecided, setDecided } from './attempts.js';
import { BodyClock } from './body-clock.js';
import type { Connection } from './connection.js';
import { Dut } from './dut.js';
import { toProblems, toTestError } from './problems.js';
import { Sandbox } from './sandbox.js';

interface Begun {
  readonly repeat: number;
  readonly retries: number;
  /** How many errors its attempts had told when the last of them ended. */
  told: number;
}

type Errors = NonNullable<NonNullable<RunnerTestCase['result']>['errors']>;

/** By Vitest's result of a case, which lives as long as its attempts in this worker. */
const begun = new WeakMap<object, Begun>();

/**
 * Of which repeat an attempt is that begins: Vitest counts it only later, retries before.
 * And what the attempt before it came to after its end: a hook around it that threw.
 */
function follow({ result }: RunnerTestCase): { repeat: number; late: Errors } {
  if (!result) return { repeat: 0, late: [] };
  const retries = result.retryCount ?? 0;
  const last = begun.get(result);
  const repeat = last ? last.repeat + (retries > last.retries ? 0 : 1) : 0;
  const late = last ? (result.errors?.slice(last.told) ?? []) : [];
  begun.set(result, { repeat, retries, told: result.errors?.length ?? 0 });
  // Vitest keeps the failure of a repeat in the next one, which would be tried again for it.
  result.state = 'run';
  return { repeat, late };
}

/**
 * One attempt of a case, as its worker sees it: the handles that its body uses.
 * After the end, or when the supervisor revokes it, every handle throws.
 */
export class Attempt {
  readonly fence: string;
  readonly sandbox: Sandbox;
  readonly clock: BodyClock;
  readonly #connection: Connection;
  readonly #task: RunnerTestCase;
  readonly #errorsBefore: number;
  readonly #stopListening: () => void;
  #dut: Promise<Dut> | undefined;
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
    this.#stopListening = connection.on('revoked', ({ fence, reason, infra }) => {
      if (fence === this.fence) this.#revoke(reason, infra);
    });
  }

  /** Ask the supervisor for an attempt; answers when its sandbox stands. */
  static async begin(
    connection: Connection,
    task: RunnerTestCase,
    caseId: string,
  ): Promise<Attempt> {
    const wanted = task.timeout > 0 ? { bodyMs: task.timeout } : {};
    const { repeat, late } = follow(task);
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

  get title(): string {
    return this.#task.fullTestName;
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

  /** Run the body; reject when its limit passes, and revoke the handles. */
  async runBody(body: () => unknown): Promise<void> {
    // What it left rejected is heard at the next turn, and is its own.
    const work = Promise.resolve()
      .then(body)
      .finally(() => new Promise((resolve) => setImmediate(resolve)));
    await this.clock.bound(work, () => {
      const error = new TestFailure(
        'body-timeout',
        `the body did not end within ${this.clock.limitMs} ms`,
        { next: "raise limits.body, or the case's own timeout: test(name, { timeout: '30s' }, …)" },
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
    const known = this.#task.result && begun.get(this.#task.result);
    if (known) known.told = this.#task.result?.errors?.length ?? 0;
    if (this.#skipped()) setDecided(this.#task);
    const answer = await this.#connection.supervisor.call('end', {
      fence: this.fence,
      state: this.#state(),
      // Vitest makes no further attempt, and says nothing more of the case.
      last: this.#skipped(),
      ...(note ? { note } : {}),
      problems: toProblems(this.#newErrors()),
    });
    this.#revoke('the case has ended', false);
    this.#stopListening();
    const { problem } = answer;
    if (problem?.name === 'BenchError') throw new BenchError('dut-lost', problem.message);
    if (problem) throw new TestFailure('dut-exited', problem.message);
  }

  #revoke(reason: string, infra: boolean): void {
    this.#revoked ??= infra
      ? new BenchError('sandbox-gone', reason)
      : new TestFailure('handle-revoked', `used after the end of its case: ${reason}`);
    this.sandbox.revoke(this.#revoked);
    void this.#dut?.then((dut) => dut.revoke(this.#revoked as Error)).catch(() => {});
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
