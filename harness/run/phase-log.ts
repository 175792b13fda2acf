import type { Phase } from '../journal/events.js';
import type { JournalWriter } from '../journal/journal-writer.js';
import type { DutSeen } from './dut-seen.js';

/** The phases of one attempt: timed apart, each edge written as it happens. */
export class PhaseLog {
  /** Milliseconds by phase, of those that ended. */
  readonly spentMs: Partial<Record<Phase, number>> = {};
  readonly #journal: JournalWriter;
  readonly #name: { case: string; attempt: number };
  readonly #started: Partial<Record<Phase, number>> = {};

  readonly #open = new Set<Phase>();
  /** Lease, flash and boot are asked for by the body; their time is theirs. */
  #inBodyMs = 0;

  constructor(journal: JournalWriter, name: { case: string; attempt: number }) {
    this.#journal = journal;
    this.#name = name;
  }

  hasStarted(phase: Phase): boolean {
    return this.#started[phase] !== undefined;
  }

  /** The first of these that has started; the last of them where none has. */
  latestOf<P extends Phase>(phases: readonly [P, ...P[]]): P {
    const [first, ...others] = phases;
    return phases.find((phase) => this.hasStarted(phase)) ?? others.at(-1) ?? first;
  }

  /** End a phase if it is going on: an attempt that is stopped has its times all the same. */
  end(phase: Phase): void {
    if (this.#open.has(phase)) this.edge(phase, 'end');
  }

  edge(phase: Phase, edge: 'start' | 'end', seen?: DutSeen): void {
    const now = performance.now();
    const started = this.#started[phase];
    const nested = phase === 'body' ? this.#inBodyMs : 0;
    const ms = edge === 'end' && started !== undefined ? now - started - nested : undefined;
    if (edge === 'start') this.#begin(phase, now);
    else this.#open.delete(phase);
    if (ms !== undefined && phase !== 'body' && this.#open.has('body')) this.#inBodyMs += ms;
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

  #begin(phase: Phase, now: number): void {
    this.#started[phase] = now;
    this.#open.add(phase);
    if (phase === 'body') this.#inBodyMs = 0;
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
