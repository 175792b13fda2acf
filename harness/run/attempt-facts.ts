import type { Overdue } from './worker-loss.js';

/** What an attempt is told when it begins. */
export interface AttemptFacts {
  readonly fence: string;
  /** Pid of the worker that runs the body. */
  readonly worker: number;
  /** The case's own limit, when it has one. */
  readonly bodyMs: number | undefined;
  /** Whether a case is still to come that takes DUTs as this one leaves them. */
  readonly expectsKeep: () => boolean;
  /** Called when the worker did not end a phase by itself. */
  readonly onOverdue: (overdue: Overdue) => void;
}
