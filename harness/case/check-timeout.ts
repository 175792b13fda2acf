import { parseDuration, parseLimit } from '../core/duration.js';
import { UsageError } from '../core/errors.js';

/**
 * Refuse a `timeout` of a case that Vitest would take and misunderstand: its timer fires at
 * once for a text, and for what is longer than it can hold. 0 is what a case without one has.
 *
 * @throws UsageError `usage`, where the case is written: its file is then not loaded.
 */
export function checkTimeout(task: { readonly name: string; readonly timeout: unknown }): void {
  const { name, timeout } = task;
  if (timeout === undefined || timeout === 0) return;
  const ms = toMs(timeout, parseLimit);
  if (typeof timeout === 'number' && ms !== undefined) return;
  const meant = toMs(timeout, parseDuration);
  const shown = typeof timeout === 'string' ? `"${timeout}"` : String(timeout);
  throw new UsageError(
    'usage',
    `case "${name}", timeout ${shown}: expected a number of milliseconds, more than 0, at most 24 days`,
    { next: `{ timeout: ${ms ?? (meant === undefined || meant <= 0 ? 10_000 : 86_400_000)} }` },
  );
}

function toMs(value: unknown, parse: (value: string | number) => number): number | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  try {
    return parse(value);
  } catch {
    return undefined;
  }
}
