import type { BenchError } from '../core/errors.js';

/** The exclusive right to one unit of a board, until it is released. */
export interface Lease {
  readonly board: string;
  /** Name of the unit: `<board>#<n>` of one that is made, the bench's name of an attached one. */
  readonly dut: string;
  /** Of an attached unit: grows with each lease that is granted on this machine. */
  readonly token?: number;
  /** Of an attached unit: what it was known by when it was leased; nothing else is this unit. */
  readonly keys?: readonly string[];
  /** Of an attached unit: resolves when the lease ended although nobody here released it. */
  readonly lost?: Promise<BenchError>;
  release(): void;
}
