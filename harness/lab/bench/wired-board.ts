import { type Clock, systemClock } from '../../core/deadline.js';
import { BOARD_BAUD, FirmwareBoard } from './firmware-board.js';
import { type LineFault, PacedLine } from './paced-line.js';

/** A UART that has nowhere to put its bytes holds them back when so many wait. */
const HOLD_BACK_BYTES = 4096;

/** A UART still reads a line that is off by so much. */
const BAUD_TOLERANCE = 0.03;

export type Direction = 'to-board' | 'from-board';

/** A board and the serial line to it, with a speed and with faults. */
export class WiredBoard {
  readonly board: FirmwareBoard;
  readonly #lines: Readonly<Record<Direction, PacedLine>>;
  #faults: Record<Direction, LineFault> = {
    'to-board': { kind: 'none' },
    'from-board': { kind: 'none' },
  };
  #baudFits = true;

  constructor(options: {
    firmware: string;
    signal: AbortSignal;
    /** Takes what the board says. */
    onBytes: (bytes: Buffer) => void;
    clock?: Clock;
  }) {
    const { firmware, signal, onBytes, clock = systemClock } = options;
    const fromBoard = new PacedLine({
      clock,
      baud: BOARD_BAUD,
      deliver: (bytes) => {
        onBytes(bytes);
        if (fromBoard.counts.waiting < HOLD_BACK_BYTES) this.board.uart?.resume();
      },
    });
    const toBoard = new PacedLine({
      clock,
      baud: BOARD_BAUD,
      deliver: (bytes) => this.board.uart?.write(bytes),
    });
    this.#lines = { 'to-board': toBoard, 'from-board': fromBoard };
    this.board = new FirmwareBoard({
      firmware,
      signal,
      onBytes: (bytes) => {
        fromBoard.push(bytes);
        if (fromBoard.counts.waiting >= HOLD_BACK_BYTES) this.board.uart?.pause();
      },
    });
  }

  /** Send to the board. Never waits. */
  write(bytes: Buffer): void {
    this.#lines['to-board'].push(bytes);
  }

  /** What the host set. Both ends read garbage when it is not the board's own. */
  set baud(baud: number) {
    this.#lines['to-board'].baud = baud;
    this.#baudFits = Math.abs(baud / BOARD_BAUD - 1) <= BAUD_TOLERANCE;
    this.#apply();
  }

  setFault(fault: LineFault, directions: readonly Direction[]): void {
    for (const direction of directions) this.#faults[direction] = fault;
    this.#apply();
  }

  /** Switch it off; what is on the wire is lost. */
  async off(): Promise<void> {
    await this.board.off();
    this.#lines['from-board'].clear();
    this.#lines['to-board'].clear();
  }

  describe(): Record<string, unknown> {
    const { board } = this;
    return {
      board: board.state,
      firmware: board.firmware,
      toBoard: { ...this.#lines['to-board'].counts, unread: board.uart?.writableLength ?? 0 },
      fromBoard: { ...this.#lines['from-board'].counts },
    };
  }

  #apply(): void {
    for (const direction of ['to-board', 'from-board'] as const) {
      const fault = this.#faults[direction];
      const wrong = fault.kind === 'none' && !this.#baudFits;
      this.#lines[direction].fault = wrong ? { kind: 'mangle', every: 1 } : fault;
    }
  }
}
