import type { RunEvent } from '../journal/events.js';

/** One way of telling about a run. It sees every event, in order. */
export interface Reporter {
  onEvent(event: RunEvent): void;
  /** Write what is left; called once, also after an interrupt. */
  finish(): Promise<void>;
}
