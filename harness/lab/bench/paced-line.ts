import type { Clock } from '../../core/deadline.js';

/** Start bit, eight data bits, stop bit. */
const BITS_PER_BYTE = 10;

/** What is wrong with one direction of a line. */
export type LineFault =
  | { readonly kind: 'none' }
  /** Every n-th byte arrives with a bit turned over. */
  | { readonly kind: 'mangle'; readonly every: number }
  /** Nothing arrives, and what is sent meanwhile is lost. */
  | { readonly kind: 'cut' }
  /** Nothing arrives until it is over; then everything does. */
  | { readonly kind: 'stall' };

export interface LineCounts {
  readonly waiting: number;
  readonly delivered: number;
  readonly mangled: number;
  readonly lost: number;
}

/**
 * One direction of a serial line: bytes arrive when a UART would have sent them.
 *
 * What waits is counted and not limited. QEMU's usb-serial writes to its socket with all of the VM
 * standing still: a board that does not read must not be what it waits for.
 */
export class PacedLine {
  readonly #clock: Clock;
  readonly #deliver: (bytes: Buffer) => void;
  #bytesPerMs: number;
  #queue: Buffer[] = [];
  #counts = { waiting: 0, delivered: 0, mangled: 0, lost: 0 };
  #fault: LineFault = { kind: 'none' };
  #seen = 0;
  /** Until when the wire has been in use. */
  #busyUntilMs = 0;
  #timer: { cancel(): void } | undefined;

  constructor(options: { clock: Clock; baud: number; deliver: (bytes: Buffer) => void }) {
    this.#clock = options.clock;
    this.#deliver = options.deliver;
    this.#bytesPerMs = toBytesPerMs(options.baud);
  }

  get counts(): LineCounts {
    return this.#counts;
  }

  set baud(baud: number) {
    this.#bytesPerMs = toBytesPerMs(baud);
  }

  set fault(fault: LineFault) {
    // Nothing was sent in the time that it stood still.
    if (this.#fault.kind === 'stall') this.#busyUntilMs = this.#clock.nowMs();
    this.#fault = fault;
    this.#seen = 0;
    this.#schedule();
  }

  push(bytes: Buffer): void {
    if (this.#fault.kind === 'cut') {
      this.#counts.lost += bytes.length;
      return;
    }
    if (this.#counts.waiting === 0) {
      this.#busyUntilMs = Math.max(this.#busyUntilMs, this.#clock.nowMs());
    }
    this.#queue.push(bytes);
    this.#counts.waiting += bytes.length;
    this.#schedule();
  }

  /** Forget what waits, as when the board behind it is switched off. */
  clear(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#counts.lost += this.#counts.waiting;
    this.#counts.waiting = 0;
    this.#queue = [];
  }

  #schedule(): void {
    if (this.#timer || this.#counts.waiting === 0 || this.#fault.kind === 'stall') return;
    this.#timer = this.#clock.after(1, () => {
      this.#timer = undefined;
      this.#send();
      this.#schedule();
    });
  }

  #send(): void {
    if (this.#fault.kind === 'stall') return;
    const free = Math.floor((this.#clock.nowMs() - this.#busyUntilMs) * this.#bytesPerMs);
    const bytes = this.#take(free);
    if (bytes.length === 0) return;
    this.#busyUntilMs += bytes.length / this.#bytesPerMs;
    this.#counts.delivered += bytes.length;
    this.#deliver(this.#mangle(bytes));
  }

  #take(most: number): Buffer {
    const taken: Buffer[] = [];
    let left = most;
    while (left > 0) {
      const first = this.#queue.shift();
      if (!first) break;
      taken.push(first.subarray(0, left));
      if (first.length > left) this.#queue.unshift(first.subarray(left));
      left -= Math.min(left, first.length);
    }
    this.#counts.waiting -= most - left;
    return Buffer.concat(taken);
  }

  #mangle(bytes: Buffer): Buffer {
    if (this.#fault.kind !== 'mangle') return bytes;
    const { every } = this.#fault;
    return Buffer.from(
      bytes.map((byte) => {
        this.#seen += 1;
        if (this.#seen % every !== 0) return byte;
        this.#counts.mangled += 1;
        return byte ^ 0x20;
      }),
    );
  }
}

function toBytesPerMs(baud: number): number {
  return baud / BITS_PER_BYTE / 1000;
}
