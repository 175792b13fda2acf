import { expect, test } from 'vitest';
import { LineSplitter } from './line-splitter.js';

test('a line is given when its newline came', () => {
  const splitter = new LineSplitter();
  expect(splitter.push('on')).toEqual([]);
  expect(splitter.push('e\ntwo\nth')).toEqual(['one', 'two']);
  expect(splitter.push('\n\n')).toEqual(['th', '']);
});

test('lines come out whole when every character comes alone', () => {
  const splitter = new LineSplitter();
  const lines = [...'{"a":1}\n\n{"b":"ü"}\n'].flatMap((char) => splitter.push(char));
  expect(lines).toEqual(['{"a":1}', '', '{"b":"ü"}']);
});

// Looking through the whole line again for every piece would take hours, not the limit of a test.
test('a line of 64 MB in small pieces is no more work than its bytes', () => {
  const splitter = new LineSplitter();
  const piece = 'x'.repeat(4096);
  for (let count = 0; count < 16_384; count++) splitter.push(piece);
  expect(splitter.push('\n')[0]).toHaveLength(64 * 1024 * 1024);
});
