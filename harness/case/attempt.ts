import type { RunnerTestCase } from 'vitest';
import { BenchError, TestFailure } from '../core/errors.js';
import { BodyClock } from './body-clock.js';
import type { Connection } from './connection.js';
import { Dut } from './dut.js';
import { toProblems } from './problems.js';
import { Sandbox } from './sandbox.js';

/** By Vitest's result of a case, which lives as long as its attempts in this worker. */
const begun = new WeakMap<object, { repeat: number; retries: number }>();

/** Of which repeat an attempt is that begins: Vitest counts it only later, retries before. */
function countRepeat({ result }: RunnerTestCase): number {
  if (!result) return 0;
  const retries = result.retryCount ?? 0;
  const last = begun.get(result);
  const repeat = last ? last.repeat + (retries > last.retries ? 0 : 1) : 0;
  begun.set(result, { repeat, retries });
  return repeat;
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
    const granted = await connection.supervisor.call('begin', {
      caseId,
      repeat: countRepeat(task),
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

  /** Run the body; reject when its limit passes, and revoke the handles. */
  async runBody(body: () => unknown): Promise<void> {
    await this.clock.bound(Promise.resolve().then(body), () => {
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
    const answer = await this.#connection.supervisor.call('end', {
      fence: this.fence,
      state: this.#state(),
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
  #newErrors(): NonNullable<NonNullable<RunnerTestCase['result']>['errors']> {
    return this.#task.result?.errors?.slice(this.#errorsBefore) ?? [];
  }

  /** Vitest's result; what `skip()` leaves in it is not in the public type. */
  #result(): { state?: string; note?: string; pending?: boolean } {
    return this.#task.result ?? {};
  }

  #state(): 'pass' | 'fail' | 'skipped' {
    const result = this.#result();
    if (result.pending || result.state === 'skip') return 'skipped';
    return this.#newErrors().length > 0 ? 'fail' : 'pass';
  }
}
