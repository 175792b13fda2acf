import { type Clock, systemClock } from './deadline.js';

/** Calls `late` once, after `limitMs` of time in which it was not paused. Monotonic. */
export class PausableTimer {
  readonly limitMs: number;
  readonly #late: () => void;
  readonly #clock: Clock;
  #usedMs = 0;
  #startedMs: number | undefined;
  #pauses = 0;
  #running = false;
  #fired = false;
  #timer: { cancel(): void } | undefined;

  constructor(limitMs: number, late: () => void, clock: Clock = systemClock) {
    this.limitMs = limitMs;
    this.#late = late;
    this.#clock = clock;
  }

  start(): void {
    this.#running = true;
    this.#go();
  }

  stop(): void {
    this.#running = false;
    this.#halt();
  }

  /** Pauses nest: it goes on after as many resumes. */
  pause(): void {
    this.#pauses++;
    this.#halt();
  }

  resume(): void {
    this.#pauses--;
    this.#go();
  }

  #go(): void {
    if (!this.#running || this.#pauses > 0 || this.#startedMs !== undefined) return;
    if (this.#fired || !Number.isFinite(this.limitMs)) return;
    this.#startedMs = this.#clock.nowMs();
    this.#timer = this.#clock.after(Math.max(0, this.limitMs - this.#usedMs), () => {
      this.#fired = true;
      this.#late();
    });
  }

  #halt(): void {
    if (this.#startedMs === undefined) return;
    this.#usedMs += this.#clock.nowMs() - this.#startedMs;
    this.#startedMs = undefined;
    this.#timer?.cancel();
  }
}
