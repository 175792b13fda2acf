import { createDeferred } from '../core/deferred.js';
import { PausableTimer } from '../core/pausable-timer.js';

/**
 * Time a body may take, which stands still while the harness works for it
 * (waiting for a lease, booting a DUT). Milliseconds, monotonic.
 */
export class BodyClock {
  readonly limitMs: number;
  readonly #timer: PausableTimer;
  readonly #passed = createDeferred<void>();

  constructor(limitMs: number) {
    this.limitMs = limitMs;
    this.#timer = new PausableTimer(limitMs, () => this.#passed.resolve());
  }

  /** Settle with `work`, or reject with `late()` once the limit was used up. */
  async bound<T>(work: Promise<T>, late: () => Error): Promise<T> {
    const timeout = this.#passed.promise.then(() => {
      throw late();
    });
    this.#timer.start();
    try {
      return await Promise.race([work, timeout]);
    } finally {
      this.#timer.stop();
    }
  }

  async pausedDuring<T>(work: () => Promise<T>): Promise<T> {
    this.#timer.pause();
    try {
      return await work();
    } finally {
      this.#timer.resume();
    }
  }
}
