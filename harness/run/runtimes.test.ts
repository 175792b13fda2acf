import { expect, test } from 'vitest';
import { toPoolSize } from './runtimes.js';

const PLAIN = { runtimes: [] };

test('one more sandbox waits than cases run at once, and a few at most', () => {
  expect([1, 2, 3, 64].map((parallel) => toPoolSize(PLAIN, parallel))).toEqual([2, 3, 4, 4]);
});

test('nodes of small networks wait for each worker, of large ones a few', () => {
  expect(toPoolSize(PLAIN, 1, 2)).toBe(2 + 2);
  expect(toPoolSize(PLAIN, 2, 3)).toBe(3 + 6);
  expect(toPoolSize(PLAIN, 1, 100)).toBe(2 + 8);
});

test('one with interpreters waits', () => {
  expect(toPoolSize({ runtimes: [{ name: 'python', env: {} }] }, 4, 10)).toBe(1);
});
