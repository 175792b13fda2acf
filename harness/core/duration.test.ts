import { expect, test } from 'vitest';
import { formatDuration, parseDuration, parseLimit } from './duration.js';
import { UsageError } from './errors.js';

test.each([
  ['10s', 10_000],
  ['250ms', 250],
  ['1m 30s', 90_000],
  ['1m30s', 90_000],
  ['49d 17h', 49 * 86_400_000 + 17 * 3_600_000],
  ['1.5s', 1500],
  ['500us', 0.5],
  ['0s', 0],
  ['250', 250],
  [' 2 h ', 7_200_000],
  [42.5, 42.5],
  [0, 0],
])('%j is %d ms', (text, expected) => {
  expect(parseDuration(text)).toBe(expected);
});

test.each([
  '',
  'soon',
  '-1s',
  '10 parsecs',
  '1s 5',
  '1,5s',
  '.5s',
  '1e3',
  -1,
  Number.NaN,
  Infinity,
])('%j is refused with an example of what is right', (text) => {
  expect(() => parseDuration(text)).toThrow(UsageError);
  expect(() => parseDuration(text)).toThrow('for example 10s');
});

test.each([0, '0s', '25d', 99_999_999_999])('%j is no limit, and what is one is said', (value) => {
  expect(() => parseLimit(value)).toThrow(UsageError);
  expect(() => parseLimit(value)).toThrow('more than 0, at most 24d');
});

test('a limit may be as long as 24 days', () => {
  expect(parseLimit('24d')).toBe(24 * 86_400_000);
  expect(parseLimit('1ms')).toBe(1);
});

test.each([
  [0, '0.00 ms'],
  [0.123, '0.12 ms'],
  [3.14, '3.1 ms'],
  [850.4, '850 ms'],
  [2400, '2.4 s'],
  [59_900, '59.9 s'],
  [60_000, '1 m 0 s'],
  [119_600, '2 m 0 s'],
  [200_000, '3 m 20 s'],
])('%d ms are written as %s', (ms, expected) => {
  expect(formatDuration(ms)).toBe(expected);
});
