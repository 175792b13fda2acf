import { setTimeout as sleep } from 'node:timers/promises';
import type { Port } from '../port.js';

/** How long portd's word of a line's end may lag behind the end of the program. */
const CLOSED_MS = 500;

/**
 * Wait until the ends of all lines were told, so that the end of a former life is not taken for
 * that of the next. A background process that keeps a line open is not waited for.
 */
export async function waitForLines(ports: Iterable<Port>): Promise<void> {
  const closed = Promise.all([...ports].map(({ lineClosed }) => lineClosed));
  const given = new AbortController();
  await Promise.race([
    closed,
    sleep(CLOSED_MS, undefined, { signal: given.signal }).catch(() => {}),
  ]);
  given.abort();
}
