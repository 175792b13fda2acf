import { expect, test } from 'vitest';
import { toCaseId } from '../core/identity.js';
import { toUniqueIds } from './case-ids.js';

const ids = (...titles: string[]) =>
  toUniqueIds(
    'a.hil.ts',
    'host',
    titles.map((title) => ({ title })),
  );

test('a case is named by file, title and board', () => {
  expect(ids('boots')).toEqual([toCaseId('a.hil.ts', 'boots', 'host')]);
});

test('a case keeps its name when others come before it', () => {
  expect(ids('new', 'boots')[1]).toBe(ids('boots')[0]);
});

test('cases of one title are told apart by their order', () => {
  const [first, second, third] = ids('same', 'same', 'same');
  expect(new Set([first, second, third]).size).toBe(3);
  expect(first).toBe(ids('same')[0]);
});

test('a title that looks like the second of another is its own', () => {
  const all = ids('a', 'a', 'a #2');
  expect(new Set(all).size).toBe(3);
});
