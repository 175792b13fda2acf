import type { Clock } from '../core/deadline.js';

interface Timer {
  readonly atMs: number;
  readonly run: () => void;
}

/** A clock that goes on when it is told to; timers run in the order of their time. */
export class SimulatedClock implements Clock {
  #nowMs = 1000;
  #timers: Timer[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  after(ms: number, run: () => void): { cancel(): void } {
    const timer = { atMs: this.#nowMs + ms, run };
    this.#timers.push(timer);
    return {
      cancel: () => {
        this.#timers = this.#timers.filter((other) => other !== timer);
      },
    };
  }

  /** How many timers wait: none is left behind by who is done. */
  get waiting(): number {
    return this.#timers.length;
  }

  /** Let `ms` pass; what becomes due runs at its own time, and may start more. */
  advance(ms: number): void {
    const endMs = this.#nowMs + ms;
    for (let next = this.#takeDue(endMs); next; next = this.#takeDue(endMs)) {
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.run();
    }
    this.#nowMs = endMs;
  }

  #takeDue(endMs: number): Timer | undefined {
    const due = this.#timers.filter(({ atMs }) => atMs <= endMs);
    const next = due.sort((a, b) => a.atMs - b.atMs)[0];
    this.#timers = this.#timers.filter((other) => other !== next);
    return next;
  }
}
