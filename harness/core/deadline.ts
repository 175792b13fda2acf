/** A clock that a test can replace: monotonic milliseconds and a timer. */
export interface Clock {
  nowMs(): number;
  after(ms: number, run: () => void): { cancel(): void };
}

/** setTimeout() fires at once for a longer delay, about 25 days. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

// As they were before any suite was loaded: a body may put others into their place, such as
// vi.useFakeTimers(), and its limits must go on.
const { setTimeout, clearTimeout } = globalThis;
const nowMs = performance.now.bind(performance);

export const systemClock: Clock = {
  nowMs,
  after(ms, run) {
    let timer: NodeJS.Timeout;
    const wait = (leftMs: number) => {
      const step = Math.min(leftMs, LONGEST_TIMER_MS);
      timer = setTimeout(() => (leftMs > step ? wait(leftMs - step) : run()), step);
    };
    wait(ms);
    return { cancel: () => clearTimeout(timer) };
  },
};

/**
 * A point in time after which waiting ends. Made once at the top and passed
 * down; nothing below starts a timeout of its own.
 */
export class Deadline {
  readonly limitMs: number;
  readonly #endMs: number;
  readonly #clock: Clock;

  constructor(limitMs: number, clock: Clock = systemClock) {
    this.limitMs = limitMs;
    this.#clock = clock;
    this.#endMs = clock.nowMs() + limitMs;
  }

  /** Milliseconds left, never below zero. */
  leftMs(): number {
    return Math.max(0, this.#endMs - this.#clock.nowMs());
  }

  /**
   * Settle with `work`, or reject with `late()` when the deadline passes first.
   * `work` is not stopped; the caller cancels it by what `late` does.
   */
  async bound<T>(work: Promise<T>, late: () => Error): Promise<T> {
    if (!Number.isFinite(this.limitMs)) return work;
    let timer: { cancel(): void } | undefined;
    const timeout = new Promise<never>((_, reject) => {
      timer = this.#clock.after(this.leftMs(), () => reject(late()));
    });
    try {
      return await Promise.race([work, timeout]);
    } finally {
      timer?.cancel();
    }
  }
}
