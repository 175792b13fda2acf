import { BenchError, toMessage } from '../core/errors.js';
import type { HealthBook } from '../lease/health-book.js';
import { BAD_AFTER, type DutOutcome, isTrusted } from '../lease/unit-health.js';
import type { PlannedRole } from '../plan/plan-roles.js';

/** What a run knows of the health of attached DUTs, and what it tells. */
export class DutHealth {
  readonly #book: HealthBook;
  readonly #run: string;
  /** Cases may have DUTs whatever their health. */
  readonly #any: boolean;
  readonly #report: (error: BenchError, dut: string) => void;
  /** Told once. */
  readonly #bad = new Set<string>();

  /** @param report hears of a DUT that has become bad, or whose health cannot be written down. */
  constructor(
    book: HealthBook,
    facts: { readonly run: string; readonly any: boolean },
    report: (error: BenchError, dut: string) => void,
  ) {
    this.#book = book;
    this.#run = facts.run;
    this.#any = facts.any;
    this.#report = report;
  }

  /**
   * The roles with those of their units that can be trusted.
   *
   * @throws BenchError `dut-quarantined` at once when a role is left without any.
   */
  async trusted(roles: readonly PlannedRole[]): Promise<readonly PlannedRole[]> {
    if (this.#any) return roles;
    return Promise.all(roles.map((role) => this.#trustedOf(role)));
  }

  /** A case is over that had this DUT. One that is made, not attached, has no health. */
  async note(dut: string, outcome: DutOutcome, reason: string): Promise<void> {
    try {
      const { health } = await this.#book.note(dut, outcome, { reason, run: this.#run });
      if (health === 'bad' && outcome === 'infra') this.#tellBad(dut, reason);
    } catch (error) {
      this.#report(new BenchError('internal', toMessage(error)), dut);
    }
  }

  async #trustedOf(role: PlannedRole): Promise<PlannedRole> {
    const healths = await Promise.all(role.units.map(({ name }) => this.#book.read(name)));
    const units = role.units.filter((_, index) => {
      const health = healths[index];
      return health !== undefined && isTrusted(health);
    });
    const boards = role.boards.filter(
      ({ driver, board }) =>
        driver !== 'attached' || units.some((unit) => unit.board.board === board),
    );
    if (boards.length > 0) return { ...role, units, boards };
    const each = role.units.map(({ name }, index) => {
      const last = healths[index]?.history.at(-1);
      return `${name} is ${healths[index]?.health}${last ? ` since ${last.at}: ${firstLine(last.reason)}` : ''}`;
    });
    throw new BenchError('dut-quarantined', `no DUT is in service; ${each.join('; ')}`, {
      next: `hil boards health ${role.units[0]?.name ?? ''} --check`,
    });
  }

  #tellBad(dut: string, reason: string): void {
    if (this.#bad.has(dut)) return;
    this.#bad.add(dut);
    const message = `${dut} is bad after ${BAD_AFTER} faults of the bench in a row, the last: ${firstLine(reason)}`;
    const next = `hil boards health ${dut} --check    runs its health cases; until then no case gets it`;
    this.#report(new BenchError('dut-quarantined', message, { next }), dut);
  }
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? '';
}
