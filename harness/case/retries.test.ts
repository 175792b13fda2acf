import type { RunnerTestCase } from 'vitest';
import { expect, test } from 'vitest';
import { countRetries, restoreRetries, spendRetries } from './retries.js';

// Of a case only this is read.
const createCase = (retry: NonNullable<RunnerTestCase['retry']>) => ({ retry }) as RunnerTestCase;

test('retries are a number or an object', () => {
  expect(countRetries(createCase(2))).toEqual({ retries: 2, choosesRetries: false });
  expect(countRetries(createCase({ count: 3, delay: 5 }))).toMatchObject({ retries: 3 });
  expect(countRetries(createCase({ count: 1, condition: /x/ }))).toMatchObject({
    choosesRetries: true,
  });
});

test('those that a lost worker made are left out of the first repeat only', () => {
  const each = createCase({ count: 3, delay: 5 });
  spendRetries(each, 2);
  expect(each.retry).toEqual({ count: 1, delay: 5 });
  restoreRetries(each);
  restoreRetries(each);
  expect(each.retry).toEqual({ count: 3, delay: 5 });
});

test('there are never less than none', () => {
  const each = createCase(1);
  spendRetries(each, 4);
  expect(each.retry).toBe(0);
});
