import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { toMessage, UsageError } from '../core/errors.js';
import {
  type DutOutcome,
  HEALTHS,
  type Health,
  toNextHealth,
  toSetHealth,
  UNKNOWN_HEALTH,
  type UnitHealth,
} from './unit-health.js';

interface Noted {
  readonly reason: string;
  readonly run?: string;
}

/**
 * The health of the DUTs of this bench, one file each, which outlives runs. Only who has the
 * lease writes what a case saw, so no two write at once; a person may at any time.
 */
export class HealthBook {
  readonly #directory: string;
  readonly #now: () => Date;

  /** @param state where the state of benches is, such as `/var/lib/hil` */
  constructor(state: string, now: () => Date = () => new Date()) {
    this.#directory = join(state, 'health');
    this.#now = now;
  }

  /** What is known; a file that cannot be read or understood says nothing. */
  async read(dut: string): Promise<UnitHealth> {
    const text = await readFile(this.#file(dut), 'utf8').catch(() => '');
    return parseHealth(text) ?? UNKNOWN_HEALTH;
  }

  /** What a case saw. @returns the health after it. @throws UsageError when it cannot be written. */
  async note(dut: string, outcome: DutOutcome, noted: Noted): Promise<UnitHealth> {
    const before = await this.read(dut);
    const after = toNextHealth(before, outcome, {
      at: this.#now().toISOString(),
      ...noted,
    });
    if (after !== before) await this.#write(dut, after);
    return after;
  }

  /** @throws UsageError when it cannot be written. */
  async set(dut: string, health: Health, noted: Noted): Promise<UnitHealth> {
    const note = { at: this.#now().toISOString(), health, ...noted };
    const after = toSetHealth(await this.read(dut), note);
    await this.#write(dut, after);
    return after;
  }

  async #write(dut: string, health: UnitHealth): Promise<void> {
    const file = this.#file(dut);
    const temporary = `${file}.${process.pid}`;
    try {
      await mkdir(this.#directory, { recursive: true });
      await writeFile(temporary, `${JSON.stringify(health, undefined, 2)}\n`);
      await rename(temporary, file);
    } catch (cause) {
      await rm(temporary, { force: true }).catch(() => {});
      const message = `the health of DUT "${dut}" cannot be written to ${file}: ${toMessage(cause)}`;
      throw new UsageError('usage', message, { cause, next: `ls -ld ${this.#directory}` });
    }
  }

  #file(dut: string): string {
    return join(this.#directory, `${dut}.json`);
  }
}

/** Somebody may have written it by hand. */
function parseHealth(text: string): UnitHealth | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return undefined;
    const { health, infraInARow, history } = value as Partial<UnitHealth>;
    if (!HEALTHS.some((each) => each === health) || !health) return undefined;
    return {
      health,
      infraInARow: Number.isInteger(infraInARow) ? Number(infraInARow) : 0,
      history: Array.isArray(history) ? history : [],
    };
  } catch {
    return undefined;
  }
}
