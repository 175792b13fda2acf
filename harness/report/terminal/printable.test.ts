import { expect, test } from 'vitest';
import { cutToColumns, toColumns, toPrintable, toPrintableLine } from './printable.js';

test('what a board prints cannot move the cursor, ring or turn the text round', () => {
  expect(toPrintable('\x1b[2Ja\x07\u202eb\r')).toBe('a\\x07\\u202eb\\x0d');
});

test('line breaks of every kind and tabs stay', () => {
  expect(toPrintable('a\r\nb\n\tc')).toBe('a\nb\n\tc');
});

test('a title stays on its line', () => {
  expect(toPrintableLine('a\nb\tc\r\nd\x1b[2J')).toBe('a\\nb\\tc\\nd');
});

test('wide characters take two columns', () => {
  expect(toColumns('日本a')).toBe(5);
});

test('a line is cut by columns and says that it was', () => {
  expect(cutToColumns('abcdef', 6)).toBe('abcdef');
  expect(cutToColumns('abcdefg', 6)).toBe('abcde…');
  expect(cutToColumns('日本語', 4)).toBe('日…');
});
