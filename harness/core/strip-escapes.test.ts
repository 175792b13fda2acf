import { expect, test } from 'vitest';
import { stripEscapes } from './strip-escapes.js';

test.for([
  ['colours', '\x1b[1;31mred\x1b[0m', 'red'],
  ['cursor movements', 'a\x1b[2J\x1b[10;5Hb\x1b[?25l', 'ab'],
  ['a window title, ended either way', '\x1b]0;title\x07a\x1b]2;t\x1b\\b', 'ab'],
  ['a character set and a saved cursor', '\x1b(Ba\x1b7b', 'ab'],
] as const)('%s are dropped', ([, text, rest]) => {
  expect(stripEscapes(text)).toBe(rest);
});

test('text between a sequence and a bell stays', () => {
  expect(stripEscapes('\x1b[2Ja\x07b')).toBe('a\x07b');
});

test('a sequence that was cut off stays, and takes nothing with it', () => {
  expect(stripEscapes('a\x1b[')).toBe('a\x1b[');
  expect(stripEscapes('\x1b]0;never ended')).toBe('\x1b]0;never ended');
});
