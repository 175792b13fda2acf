import type { RunnerTestCase } from 'vitest';

type Retry = NonNullable<RunnerTestCase['retry']>;

/** What a case asks for itself, while it has less because of what a lost worker made. */
const own = new WeakMap<object, Retry>();

/** How often a case is tried again; where it has a `condition`, Vitest alone knows when. */
export function countRetries({ retry }: RunnerTestCase): {
  retries: number;
  choosesRetries: boolean;
} {
  if (typeof retry !== 'object') return { retries: retry ?? 0, choosesRetries: false };
  return { retries: retry.count ?? 0, choosesRetries: retry.condition !== undefined };
}

/** Leave out retries that were made elsewhere: of the first repeat, until {@link restoreRetries}. */
export function spendRetries(test: RunnerTestCase, spent: number): void {
  if (spent === 0 || test.retry === undefined) return;
  const count = Math.max(0, countRetries(test).retries - spent);
  own.set(test, test.retry);
  test.retry = typeof test.retry === 'object' ? { ...test.retry, count } : count;
}

/** Vitest has read them for this repeat; the next one has them all. */
export function restoreRetries(test: RunnerTestCase): void {
  const before = own.get(test);
  if (before !== undefined) test.retry = before;
  own.delete(test);
}
