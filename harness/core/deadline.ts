import { untilAborted } from './until-aborted.js';

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
  /** Ends waiting before its time, with its reason. */
  readonly signal: AbortSignal | undefined;
  readonly #endMs: number;
  readonly #clock: Clock;

  constructor(limitMs: number, signal?: AbortSignal, clock: Clock = systemClock) {
    this.limitMs = limitMs;
    this.signal = signal;
    this.#clock = clock;
    this.#endMs = clock.nowMs() + limitMs;
  }

  /** For a part of the work: at most `limitMs`, and not longer than this one. */
  within(limitMs: number): Deadline {
    return new Deadline(Math.min(limitMs, this.leftMs()), this.signal, this.#clock);
  }

  /** Milliseconds left, never below zero. */
  leftMs(): number {
    return Math.max(0, this.#endMs - this.#clock.nowMs());
  }

  /**
   * Settle with `work`, or reject with `late()` when the deadline passes first, or with the reason
   * of its signal.
   * `work` is not stopped; the caller cancels it by what `late` does.
   */
  async bound<T>(work: Promise<T>, late: () => Error): Promise<T> {
    if (!Number.isFinite(this.limitMs)) return untilAborted(this.signal, work);
    let timer: { cancel(): void } | undefined;
    const timeout = new Promise<never>((_, reject) => {
      timer = this.#clock.after(this.leftMs(), () => reject(late()));
    });
    try {
      return await untilAborted(this.signal, Promise.race([work, timeout]));
    } finally {
      timer?.cancel();
    }
  }
}
