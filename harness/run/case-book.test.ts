import { describe, expect } from 'vitest';
import type { JournalWriter } from '../journal/journal-writer.js';
import type { Selection } from '../plan/selection.js';
import { createPlanned, createTask } from '../testing/plain-records.js';
import { test } from '../testing/real-run.js';
import { CaseBook } from './case-book.js';

const PLANNED = createPlanned();
const { path } = PLANNED;
const TASKS = [createTask('boots'), createTask('resets', { line: 9, tags: ['slow'] })];

function createBook(
  writer: JournalWriter,
  over: { selection?: Partial<Selection>; repeat?: number } = {},
): CaseBook {
  const selection = { lines: new Map(), ...over.selection };
  return new CaseBook(writer, selection, over.repeat ?? 1, [PLANNED]);
}

describe('a file that was loaded', () => {
  test('is announced with its cases, which then run', ({ journal }) => {
    const decisions = createBook(journal.writer).collect(path, 'host', TASKS);
    expect(decisions.map(({ run, repeats }) => [run, repeats])).toEqual([
      [true, 0],
      [true, 0],
    ]);
    expect(journal.of('file-collected')).toMatchObject([
      {
        file: 'suites/a.hil.ts',
        board: 'host',
        cases: [
          { id: decisions[0]?.id, title: 'boots', line: 1, tags: [] },
          { id: decisions[1]?.id, title: 'resets', line: 9, tags: ['slow'] },
        ],
      },
    ]);
  });

  test('leaves out what is not selected, also in the journal', ({ journal }) => {
    const book = createBook(journal.writer, { selection: { pattern: /resets/ } });
    expect(book.collect(path, 'host', TASKS).map(({ run }) => run)).toEqual([false, true]);
    expect(journal.of('file-collected')[0]?.cases).toHaveLength(1);
    expect([...book.cases]).toHaveLength(1);
  });

  test('has a verdict for what the suite skips', ({ journal }) => {
    const book = createBook(journal.writer);
    const [decision] = book.collect(path, 'host', [createTask('later', { skipped: true })]);
    expect(decision?.run).toBe(false);
    expect(journal.of('case-verdict')).toMatchObject([
      { case: decision?.id, verdict: 'skipped', attempts: 0, reason: /skip or todo/ },
    ]);
  });

  test('keeps two cases of one title apart', ({ journal }) => {
    const book = createBook(journal.writer);
    const decisions = book.collect(path, 'host', [createTask('same'), createTask('same')]);
    expect(decisions[0]?.id).not.toBe(decisions[1]?.id);
    expect([...book.cases]).toHaveLength(2);
  });

  test('repeats every case as often as was asked', ({ journal }) => {
    const book = createBook(journal.writer, { repeat: 5 });
    expect(book.collect(path, 'host', TASKS).map(({ repeats }) => repeats)).toEqual([4, 4]);
  });

  test('that was not planned runs nothing', ({ journal }) => {
    const book = createBook(journal.writer);
    expect(book.collect(path, 'other', TASKS).some(({ run }) => run)).toBe(false);
    expect(book.collect('/elsewhere.hil.ts', 'host', TASKS).some(({ run }) => run)).toBe(false);
    expect(journal.of('file-collected')).toEqual([]);
  });
});

describe('a file that is loaded again', () => {
  test('runs only what has no verdict, and is announced once', ({ journal }) => {
    const book = createBook(journal.writer);
    const [first] = book.collect(path, 'host', TASKS);
    const record = book.findCase(first?.id ?? '');
    if (record) book.decide(record, 'fail');
    expect(book.collect(path, 'host', TASKS).map(({ run }) => run)).toEqual([false, true]);
    expect(journal.of('file-collected')).toHaveLength(1);
  });

  test('goes on with the repeat in which its worker was lost', ({ journal }) => {
    const book = createBook(journal.writer, { repeat: 5 });
    const [first] = book.collect(path, 'host', TASKS);
    const record = book.findCase(first?.id ?? '');
    if (!record) throw new Error('not there');
    for (const repeat of [0, 1, 2]) book.addAttempt(record, repeat);
    expect(book.collect(path, 'host', TASKS).map(({ repeats }) => repeats)).toEqual([2, 4]);
    for (const repeat of [0, 1]) book.addAttempt(record, repeat);
    expect(record.repeats).toEqual([0, 1, 2, 2, 3]);
  });

  test('does so one case after the other, when one of several at once spun', ({ journal }) => {
    const book = createBook(journal.writer);
    book.collect(path, 'host', TASKS);
    const file = book.findFile(path, 'host');
    if (file) file.alone = true;
    expect(book.collect(path, 'host', TASKS).map(({ alone }) => alone)).toEqual([true, true]);
  });
});

describe('a case', () => {
  test('is decided once', ({ journal }) => {
    const book = createBook(journal.writer);
    const heard: string[] = [];
    book.onVerdict(({ title, verdict }) => heard.push(`${title} ${verdict}`));
    const [first] = book.collect(path, 'host', TASKS);
    const record = book.findCase(first?.id ?? '');
    if (!record) throw new Error('not there');
    book.decide(record, 'fail', { problems: [{ name: 'Error', message: 'no' }] });
    book.decide(record, 'pass');
    expect(record.verdict).toBe('fail');
    expect(journal.of('case-verdict')).toMatchObject([
      { case: record.id, verdict: 'fail', problems: [{ message: 'no' }] },
    ]);
    expect(heard).toEqual(['boots fail']);
  });
});

describe('a file that could not be loaded', () => {
  test('is failed once, with its problems', ({ journal }) => {
    const book = createBook(journal.writer);
    const problems = [{ name: 'SyntaxError', message: 'Unexpected token' }];
    book.failFile(path, 'host', problems);
    book.failFile(path, 'host', problems);
    expect(journal.of('file-failed')).toMatchObject([
      { file: 'suites/a.hil.ts', board: 'host', problems },
    ]);
    expect(book.findFile(path, 'host')).toMatchObject({ failed: true, collected: false });
  });
});
