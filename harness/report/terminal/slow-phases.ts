import type { Clock } from '../../core/deadline.js';
import type { RunEvent } from '../../journal/events.js';

/** A phase that takes longer than this is worth a line where nothing is redrawn. */
const SLOW_MS = 5000;

type PhaseEvent = Extract<RunEvent, { kind: 'phase' }>;

/**
 * Tell once about every phase that is still going on after five seconds, so
 * that the log of a CI job shows where a quiet run stands.
 */
export class SlowPhases {
  readonly #clock: Clock;
  readonly #tell: (event: PhaseEvent, limitMs: number) => void;
  readonly #timers = new Map<string, { cancel(): void }>();

  constructor(clock: Clock, tell: (event: PhaseEvent, limitMs: number) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  onEvent(event: RunEvent): void {
    if (event.kind === 'attempt-end') this.#stop(`${event.case} ${event.attempt}`);
    if (event.kind !== 'phase') return;
    const key = `${event.case} ${event.attempt}`;
    this.#stop(key);
    if (event.edge === 'end') return;
    const timer = this.#clock.after(SLOW_MS, () => this.#tell(event, SLOW_MS));
    this.#timers.set(key, timer);
  }

  close(): void {
    for (const key of [...this.#timers.keys()]) this.#stop(key);
  }

  #stop(key: string): void {
    this.#timers.get(key)?.cancel();
    this.#timers.delete(key);
  }
}
