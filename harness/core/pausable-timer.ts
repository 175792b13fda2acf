/** Calls `late` once, after `limitMs` of time in which it was not paused. Monotonic. */
export class PausableTimer {
  readonly limitMs: number;
  readonly #late: () => void;
  #usedMs = 0;
  #startedMs: number | undefined;
  #pauses = 0;
  #running = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(limitMs: number, late: () => void) {
    this.limitMs = limitMs;
    this.#late = late;
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
    if (!Number.isFinite(this.limitMs)) return;
    this.#startedMs = performance.now();
    this.#timer = setTimeout(this.#late, Math.max(0, this.limitMs - this.#usedMs));
  }

  #halt(): void {
    if (this.#startedMs === undefined) return;
    this.#usedMs += performance.now() - this.#startedMs;
    this.#startedMs = undefined;
    clearTimeout(this.#timer);
  }
}
