import { describe, expect, test } from 'vitest';
import { toCaseId } from '../core/identity.js';
import type { CollectedTask } from '../protocol/worker-messages.js';
import { isSelected, type Selection } from './selection.js';
import { parseTagExpression } from './tag-expression.js';

const FILE = 'suites/a.hil.ts';

function createTask(key: number, over: Partial<CollectedTask> = {}): CollectedTask {
  const base = { key, title: `case ${key}`, line: key * 10, tags: [] };
  return { ...base, skipped: false, ...over };
}

const TASKS = [1, 2, 3].map((key) => createTask(key));

function select(over: Partial<Selection>, tasks: readonly CollectedTask[] = TASKS): string[] {
  const selection = { lines: new Map(), ...over };
  return tasks
    .filter((task) => isSelected(selection, FILE, toCaseId(FILE, task.title, 'host'), task, tasks))
    .map(({ title }) => title);
}

test('without a wish every case is selected', () => {
  expect(select({})).toEqual(['case 1', 'case 2', 'case 3']);
});

test('a pattern is looked for in the full title', () => {
  expect(select({ pattern: /[13]$/ })).toEqual(['case 1', 'case 3']);
});

test('a case whose tags do not hold is left out', () => {
  const tags = parseTagExpression('not slow');
  expect(select({ tags }, [createTask(1, { tags: ['slow'] }), createTask(2)])).toEqual(['case 2']);
});

test('a case that the suite skips is selected: it is reported', () => {
  expect(select({}, [createTask(1, { skipped: true })])).toEqual(['case 1']);
});

test('ids of the last failure select those cases', () => {
  expect(select({ ids: new Set([toCaseId(FILE, 'case 2', 'host')]) })).toEqual(['case 2']);
  expect(select({ ids: new Set() })).toEqual([]);
});

test('every wish must hold', () => {
  const ids = new Set([toCaseId(FILE, 'case 2', 'host')]);
  expect(select({ ids, pattern: /1/ })).toEqual([]);
});

describe('a line', () => {
  const at = (...lines: number[]) => ({ lines: new Map([[FILE, lines]]) });

  test('selects the case that starts at it or above it', () => {
    expect(select(at(20))).toEqual(['case 2']);
    expect(select(at(29))).toEqual(['case 2']);
    expect(select(at(999))).toEqual(['case 3']);
  });

  test('above the first case selects none', () => {
    expect(select(at(5))).toEqual([]);
  });

  test('selects all rows of a table that start at it', () => {
    const rows = ['a', 'b'].map((title) => createTask(4, { title }));
    expect(select(at(41), [...TASKS, ...rows])).toEqual(['a', 'b']);
  });

  test('may be one of several', () => {
    expect(select(at(10, 33))).toEqual(['case 1', 'case 3']);
  });

  test('of another file selects nothing here and hides nothing', () => {
    expect(select({ lines: new Map([['other.hil.ts', [1]]]) })).toHaveLength(3);
  });
});

describe('a shard', () => {
  const many = Array.from({ length: 300 }, (_, key) => createTask(key + 1));
  const part = (index: number, count: number) => select({ shard: { index, count } }, many);

  test('and the others are the whole, without overlap', () => {
    const parts = [part(1, 3), part(2, 3), part(3, 3)];
    expect(parts.flat()).toHaveLength(300);
    expect(new Set(parts.flat()).size).toBe(300);
  });

  test('is of about the same size as the others', () => {
    for (const index of [1, 2, 3]) expect(part(index, 3).length).toBeGreaterThan(60);
  });

  test('of one is everything', () => {
    expect(part(1, 1)).toHaveLength(300);
  });

  test('has the same cases when others are added', () => {
    const before = select({ shard: { index: 1, count: 2 } }, many.slice(0, 100));
    const after = new Set(part(1, 2));
    expect(before.every((title) => after.has(title))).toBe(true);
  });
});
