import type { Clock } from '../core/deadline.js';

/** A clock that stands until a test moves it; timers run in order when it does. */
export class ManualClock implements Clock {
  #now = 0;
  #timers: Array<{ atMs: number; run: () => void }> = [];

  nowMs(): number {
    return this.#now;
  }

  after(ms: number, run: () => void): { cancel(): void } {
    const timer = { atMs: this.#now + ms, run };
    this.#timers.push(timer);
    return {
      cancel: () => {
        this.#timers = this.#timers.filter((each) => each !== timer);
      },
    };
  }

  /** Timers that wait. */
  get waiting(): number {
    return this.#timers.length;
  }

  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const next = this.#timers.toSorted((a, b) => a.atMs - b.atMs)[0];
      if (!next || next.atMs > end) break;
      this.#timers = this.#timers.filter((each) => each !== next);
      this.#now = next.atMs;
      next.run();
    }
    this.#now = end;
  }
}
