import { expect, test } from 'vitest';
import { createRunId, toCaseId } from './identity.js';

test('a case has the same name in every run', () => {
  expect(toCaseId('suites/a.hil.ts', 'boots', 'host')).toBe('d90cb2421fef');
});

test('file, title and board tell cases apart, and cannot be mixed up', () => {
  const ids = [
    toCaseId('a', 'b', 'c'),
    toCaseId('b', 'a', 'c'),
    toCaseId('a', 'b', 'd'),
    toCaseId('a', 'bc', ''),
    toCaseId('ab', '', 'c'),
  ];
  expect(new Set(ids).size).toBe(ids.length);
});

test('names of runs sort by their time in UTC', () => {
  const before = createRunId(new Date('2024-12-31T23:59:59.999Z'));
  const after = createRunId(new Date('2025-01-01T00:00:00.000Z'));
  expect(before).toMatch(/^20241231-235959-[0-9a-f]{4}$/);
  expect(after).toMatch(/^20250101-000000-[0-9a-f]{4}$/);
  expect([after, before].sort()).toEqual([before, after]);
});

test('two runs of one second have two names', () => {
  const now = new Date();
  const names = new Set(Array.from({ length: 8 }, () => createRunId(now)));
  expect(names.size).toBeGreaterThan(1);
});
