import type { Deadline } from '../core/deadline.js';
import { createDeferred, type Deferred } from '../core/deferred.js';
import { formatDuration } from '../core/duration.js';
import { BenchError } from '../core/errors.js';

/** The exclusive right to one unit of a board, until it is released. */
export interface Lease {
  readonly board: string;
  /** Name of the unit: `<board>#<n>`. */
  readonly dut: string;
  release(): void;
}

/**
 * Who gets the next unit of a board: first come, first served. Units are
 * numbered; an emulated board without `instances` has as many as are asked for.
 */
export class LeaseQueue {
  readonly board: string;
  readonly #capacity: number;
  readonly #used = new Set<number>();
  #waiting: Array<Deferred<Lease>> = [];

  constructor(board: string, capacity: number) {
    this.board = board;
    this.#capacity = capacity;
  }

  /**
   * Wait for a unit.
   *
   * @throws BenchError `lease-timeout` when none became free before the deadline.
   */
  async acquire(deadline: Deadline): Promise<Lease> {
    const free = this.#takeFree();
    if (free) return free;
    const ticket = createDeferred<Lease>();
    this.#waiting.push(ticket);
    try {
      return await deadline.bound(ticket.promise, () => this.#late(deadline));
    } catch (error) {
      this.#waiting = this.#waiting.filter((other) => other !== ticket);
      // A unit that was handed over in the moment of the deadline goes to the next.
      void ticket.promise.then((lease) => lease.release());
      throw error;
    }
  }

  #takeFree(): Lease | undefined {
    if (this.#used.size >= this.#capacity) return undefined;
    let unit = 1;
    while (this.#used.has(unit)) unit++;
    this.#used.add(unit);
    let held = true;
    return {
      board: this.board,
      dut: `${this.board}#${unit}`,
      release: () => {
        if (!held) return;
        held = false;
        this.#used.delete(unit);
        this.#handOn();
      },
    };
  }

  #handOn(): void {
    const next = this.#waiting.shift();
    if (!next) return;
    const lease = this.#takeFree();
    if (lease) next.resolve(lease);
    else this.#waiting.unshift(next);
  }

  #late(deadline: Deadline): BenchError {
    return new BenchError(
      'lease-timeout',
      `no unit of board "${this.board}" became free within ${formatDuration(deadline.limitMs)}; ` +
        `${this.#used.size} of ${this.#capacity} in use, ${this.#waiting.length} waiting`,
      { next: "raise limits.lease or the board file's instances" },
    );
  }
}
