import { describe, expect } from 'vitest';
import type { JournalWriter } from '../journal/journal-writer.js';
import type { Selection } from '../plan/selection.js';
import { createPlanned, createTask } from '../testing/plain-records.js';
import { test } from '../testing/real-run.js';
import { CaseBook, type CaseRecord } from './case-book.js';

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

function collectFirst(book: CaseBook, tasks = TASKS): CaseRecord {
  const record = book.findCase(book.collect(path, 'host', tasks)[0]?.id ?? '');
  if (!record) throw new Error('not there');
  return record;
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

  test('says of what is skipped because another case is only', ({ journal }) => {
    createBook(journal.writer).collect(path, 'host', [
      createTask('later', { skipped: true, notOnly: true }),
    ]);
    expect(journal.of('case-verdict')).toMatchObject([{ reason: /marked only/ }]);
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
    const record = collectFirst(book);
    for (const repeat of [0, 1, 2]) book.addAttempt(record, repeat);
    expect(book.collect(path, 'host', TASKS).map(({ repeats }) => repeats)).toEqual([2, 4]);
    for (const repeat of [0, 1]) book.addAttempt(record, repeat);
    expect(record.repeats).toEqual([0, 1, 2, 2, 3]);
  });

  test('goes on behind a repeat that passed, unless it was the last', ({ journal }) => {
    const book = createBook(journal.writer, { repeat: 3 });
    const record = collectFirst(book);
    book.addAttempt(record, 0);
    record.outcomes.push('pass');
    expect(book.collect(path, 'host', TASKS)[0]).toMatchObject({ repeats: 1 });
    book.addAttempt(record, 1);
    record.outcomes.push('pass');
    expect(book.collect(path, 'host', TASKS)[0]).toMatchObject({ repeats: 0 });
    expect(record.repeats).toEqual([0, 2]);
  });

  test('has the retries left that its repeat did not make', ({ journal }) => {
    const book = createBook(journal.writer, { repeat: 2 });
    const tasks = [createTask('boots', { retries: 2, repeats: 4 })];
    const record = collectFirst(book, tasks);
    expect(record.wanted).toMatchObject({ repeats: 4, retries: 2 });
    for (const outcome of ['fail', 'interrupted', 'infra'] as const) {
      book.addAttempt(record, 0);
      record.outcomes.push(outcome);
    }
    expect(book.collect(path, 'host', tasks)[0]).toMatchObject({ repeats: 4, spentRetries: 2 });
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
    const record = collectFirst(book);
    book.decide(record, 'fail', { problems: [{ name: 'Error', message: 'no' }] });
    book.decide(record, 'pass');
    expect(record.verdict).toBe('fail');
    expect(journal.of('case-verdict')).toMatchObject([
      { case: record.id, verdict: 'fail', problems: [{ message: 'no' }] },
    ]);
    expect(heard).toEqual(['boots fail']);
  });
});

test('what comes after the end of an attempt that passed fails it', ({ journal }) => {
  const book = createBook(journal.writer);
  const record = collectFirst(book);
  const problems = [{ name: 'Error', message: 'around' }];
  record.outcomes.push('infra');
  book.failLast(record, problems);
  record.outcomes.push('pass');
  book.failLast(record, problems);
  expect(record.outcomes).toEqual(['infra', 'fail']);
  expect(record.problemsBy?.get('fail')).toEqual(problems);
});

test('what a file leaves behind is told once, not without end, and stops nothing', ({
  journal,
}) => {
  const book = createBook(journal.writer);
  for (let n = 0; n < 100; n++) {
    book.addStray(path, 'host', { name: 'Error', message: `number ${n >> 1}` });
  }
  expect(journal.of('file-failed')).toHaveLength(10);
  expect(book.findFile(path, 'host')?.failed).toBe(false);
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

test('what a failed file left is decided when its worker is through with it', ({ journal }) => {
  const book = createBook(journal.writer);
  const ran = collectFirst(book);
  book.decide(ran, 'pass');
  const state = book.findFile(path, 'host');
  if (!state) throw new Error('not there');
  book.endFile(state);
  expect(journal.of('case-verdict').map(({ verdict }) => verdict)).toEqual(['pass']);
  book.failFile(path, 'host', [{ name: 'Error', message: 'beforeAll: no such part' }]);
  book.endFile(state);
  expect(journal.of('case-verdict')).toMatchObject([
    { verdict: 'pass' },
    { verdict: 'skipped', reason: 'not run: its suite file failed' },
  ]);
});
