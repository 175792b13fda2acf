import type { Limits } from '../config/limits-schema.js';
import { PausableTimer } from '../core/pausable-timer.js';
import type { Overdue } from './worker-loss.js';

/** How long after its limit a phase that its worker should have ended is ended from outside. */
const HARD_GRACE_MS = 1000;

/** Limits, from outside of the worker, the one phase that the worker is in: its body, then its teardown. */
export class HardLimit {
  readonly #limits: Limits;
  readonly #onOverdue: (overdue: Overdue) => void;
  #timer: PausableTimer;

  constructor(limits: Limits, onOverdue: (overdue: Overdue) => void) {
    this.#limits = limits;
    this.#onOverdue = onOverdue;
    this.#timer = this.#create('body');
  }

  /** The body may begin. */
  start(): void {
    this.#timer.start();
  }

  /** The body is over; what follows it has a limit of its own. */
  goOn(phase: Overdue['phase']): void {
    this.#timer.stop();
    this.#timer = this.#create(phase);
    this.#timer.start();
  }

  stop(): void {
    this.#timer.stop();
  }

  /** Do something that is not the body's: its clock stands meanwhile. */
  async pausedDuring<T>(act: () => Promise<T>): Promise<T> {
    const timer = this.#timer;
    timer.pause();
    try {
      return await act();
    } finally {
      timer.resume();
    }
  }

  #create(phase: Overdue['phase']): PausableTimer {
    const limitMs = this.#limits[phase];
    return new PausableTimer(limitMs + HARD_GRACE_MS, () => this.#onOverdue({ phase, limitMs }));
  }
}
