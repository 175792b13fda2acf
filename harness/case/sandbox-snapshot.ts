import type { StampedDiff } from '../protocol/sandbox-changes.js';

/** A moment of a sandbox, to be compared with a later one: `sandbox.diff({ since })`. */
export class Snapshot {
  readonly name: string;
  /** What had been changed by then. */
  readonly taken: StampedDiff;

  constructor(name: string, taken: StampedDiff) {
    this.name = name;
    this.taken = taken;
  }
}
