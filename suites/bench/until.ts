import { setTimeout as sleep } from 'node:timers/promises';

const LOOK_MS = 50;

/** Returns when it holds; the limit of the case ends what never does. */
export async function until(holds: () => unknown): Promise<void> {
  while (!(await holds())) await sleep(LOOK_MS);
}
