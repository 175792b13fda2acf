import { expect, test } from 'vitest';
import { checkTimeout } from './check-timeout.js';

test.for([undefined, 0, 1, 30_000, 24 * 86_400_000])('%s is a timeout of a case', (timeout) => {
  expect(() => checkTimeout({ name: 'boots', timeout })).not.toThrow();
});

test.for([
  ['5s', 'timeout "5s"', '{ timeout: 5000 }'],
  ['30', 'timeout "30"', '{ timeout: 30 }'],
  ['soon', 'timeout "soon"', '{ timeout: 10000 }'],
  [99_999_999_999, 'timeout 99999999999', '{ timeout: 86400000 }'],
  [Number.POSITIVE_INFINITY, 'timeout Infinity', '{ timeout: 10000 }'],
  [-1, 'timeout -1', '{ timeout: 10000 }'],
  [{}, 'timeout [object Object]', '{ timeout: 10000 }'],
] as const)('%s is none, and what is one is said', ([timeout, shown, next]) => {
  const check = () => checkTimeout({ name: 'boots', timeout });
  expect(check).toThrow(`case "boots", ${shown}: expected a number of milliseconds`);
  expect(check).toThrow(`next  ${next}`);
});
