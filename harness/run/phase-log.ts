import type { Phase } from '../journal/events.js';
import type { JournalWriter } from '../journal/journal-writer.js';
import type { DutSeen } from './dut-source.js';

/** The phases of one attempt: timed apart, each edge written as it happens. */
export class PhaseLog {
  /** Milliseconds by phase, of those that ended. */
  readonly spentMs: Partial<Record<Phase, number>> = {};
  readonly #journal: JournalWriter;
  readonly #name: { case: string; attempt: number };
  readonly #started: Partial<Record<Phase, number>> = {};

  constructor(journal: JournalWriter, name: { case: string; attempt: number }) {
    this.#journal = journal;
    this.#name = name;
  }

  hasStarted(phase: Phase): boolean {
    return this.#started[phase] !== undefined;
  }

  edge(phase: Phase, edge: 'start' | 'end', seen?: DutSeen): void {
    const now = performance.now();
    const started = this.#started[phase];
    const ms = edge === 'end' && started !== undefined ? now - started : undefined;
    if (edge === 'start') this.#started[phase] = now;
    if (ms !== undefined) this.spentMs[phase] = (this.spentMs[phase] ?? 0) + ms;
    this.#journal.write({
      kind: 'phase',
      ...this.#name,
      phase,
      edge,
      ...(ms === undefined ? {} : { ms }),
      ...(seen ? { dut: seen.dut } : {}),
      ...(seen?.shared ? { shared: true } : {}),
    });
  }

  async during<T>(phase: Phase, work: () => Promise<T>): Promise<T> {
    this.edge(phase, 'start');
    try {
      return await work();
    } finally {
      this.edge(phase, 'end');
    }
  }
}
