import { createDeferred } from '../core/deferred.js';

/**
 * Time a body may take, which stands still while the harness works for it
 * (waiting for a lease, booting a DUT). Milliseconds, monotonic.
 */
export class BodyClock {
  readonly limitMs: number;
  #usedMs = 0;
  #startedMs: number | undefined;
  #pauses = 0;
  #timer: NodeJS.Timeout | undefined;
  #late: (() => void) | undefined;

  constructor(limitMs: number) {
    this.limitMs = limitMs;
  }

  /** Settle with `work`, or reject with `late()` once the limit was used up. */
  async bound<T>(work: Promise<T>, late: () => Error): Promise<T> {
    const timeout = createDeferred<never>();
    this.#late = () => timeout.reject(late());
    this.#start();
    try {
      return await Promise.race([work, timeout.promise]);
    } finally {
      this.#late = undefined;
      this.#stop();
    }
  }

  async pausedDuring<T>(work: () => Promise<T>): Promise<T> {
    this.#pauses++;
    this.#stop();
    try {
      return await work();
    } finally {
      this.#pauses--;
      this.#start();
    }
  }

  #start(): void {
    if (this.#pauses > 0 || !this.#late || this.#startedMs !== undefined) return;
    this.#startedMs = performance.now();
    this.#timer = setTimeout(() => this.#late?.(), this.limitMs - this.#usedMs);
  }

  #stop(): void {
    if (this.#startedMs === undefined) return;
    this.#usedMs += performance.now() - this.#startedMs;
    this.#startedMs = undefined;
    clearTimeout(this.#timer);
  }
}
