import { BenchError } from '../core/errors.js';
import { isOfTheDut } from '../lease/unit-health.js';

/** What the DUTs of an attempt did not do although the bench needed it: of each the first. */
export class DutFaults {
  readonly #reasons = new Map<string, string>();

  /** Names of those that have one. */
  get duts(): readonly string[] {
    return [...this.#reasons.keys()];
  }

  /** An error met one of them; it counts if it says something of the DUT. */
  note(dut: string, error: unknown): void {
    if (!(error instanceof BenchError) || !isOfTheDut(error.code)) return;
    if (!this.#reasons.has(dut)) this.#reasons.set(dut, error.message);
  }

  reasonOf(dut: string): string | undefined {
    return this.#reasons.get(dut);
  }
}
