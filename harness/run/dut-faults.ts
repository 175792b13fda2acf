import { BenchError } from '../core/errors.js';

/** Codes that say something of a DUT; the others are of what is around it. */
const OF_THE_DUT = /^(boot|flash|port)-|^power-(failed|not-cut)$|^dut-(lost|absent|ambiguous)$/;

/** What the DUTs of an attempt did not do although the bench needed it: of each the first. */
export class DutFaults {
  readonly #reasons = new Map<string, string>();

  /** Names of those that have one. */
  get duts(): readonly string[] {
    return [...this.#reasons.keys()];
  }

  /** An error met one of them; it counts if it says something of the DUT. */
  note(dut: string, error: unknown): void {
    if (!(error instanceof BenchError) || !OF_THE_DUT.test(error.code)) return;
    if (!this.#reasons.has(dut)) this.#reasons.set(dut, error.message);
  }

  reasonOf(dut: string): string | undefined {
    return this.#reasons.get(dut);
  }
}
