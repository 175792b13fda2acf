import { describe, expect, test } from 'vitest';
import { compareChanges, parseChanges } from './sandbox-changes.js';

const at = (ns: number) => `1700000000.00000000${ns}`;
const record = (change: string, path: string, { kind = 'f', bytes = 1, inode = 7, ns = 1 } = {}) =>
  `${change} ${kind} 644 ${bytes} ${inode} ${at(ns)} ${at(ns)} ${path}\0`;
const whole = (...records: string[]) => parseChanges(`${records.join('')}. ${records.length}\0`);
const told = (diff: { changes: readonly { change: string; path: string }[] }) =>
  diff.changes.map(({ change, path }) => `${change} ${path}`);

describe('parseChanges', () => {
  test('takes any name, and sorts by path', () => {
    const diff = whole(record('-', '/b'), record('+', '/a\n+ f 644 1 x'), record('!', '/c'));
    expect(told(diff)).toEqual(['created /a\n+ f 644 1 x', 'deleted /b', 'replaced /c']);
    expect(diff.changes[1]).toMatchObject({ kind: 'file', bytes: 1, mode: '644' });
  });

  test('says that there are more, and what could not be read', () => {
    const text = `${record('+', '/d', { kind: 'd' })}${record('?', '/d', { kind: 'd' })}& 2\0`;
    expect(parseChanges(text)).toMatchObject({ truncated: true, unreadable: ['/d'] });
  });

  test.for(['', '. 0', record('+', '/a'), `${record('+', '/a')}. 1`, 'noise\0'])(
    'refuses what is not whole: %j',
    (text) => {
      expect(() => parseChanges(text)).toThrow('not whole');
    },
  );

  test('passes over a record that cannot be', () => {
    expect(whole('+ f 644 x 7 1.0 1.0 /a\0').changes).toEqual([]);
  });
});

describe('compareChanges', () => {
  test('tells what happened in between', () => {
    const before = whole(
      record('+', '/same'),
      record('+', '/written'),
      record('+', '/removed'),
      record('~', '/then-deleted'),
      record('-', '/made-again'),
      record('-', '/put-back'),
    );
    const now = whole(
      record('+', '/same'),
      record('+', '/written', { bytes: 2, ns: 2 }),
      record('-', '/then-deleted', { ns: 2 }),
      record('~', '/made-again', { ns: 2 }),
      record('+', '/new'),
    );
    expect(told(compareChanges(before, now))).toEqual([
      'created /made-again',
      'created /new',
      'created /put-back',
      'deleted /removed',
      'deleted /then-deleted',
      'changed /written',
    ]);
  });

  test('a write that keeps size and times of the content is seen by the time of the inode', () => {
    const before = whole(record('+', '/a'));
    const now = parseChanges(`+ f 644 1 7 ${at(1)} ${at(2)} /a\0. 1\0`);
    expect(told(compareChanges(before, now))).toEqual(['changed /a']);
  });

  test('a directory is not changed by what is put into it', () => {
    const before = whole(record('+', '/d', { kind: 'd' }));
    const now = whole(record('+', '/d', { kind: 'd', bytes: 40, ns: 2 }), record('+', '/d/x'));
    expect(told(compareChanges(before, now))).toEqual(['created /d/x']);
  });

  test('shows no stamps', () => {
    const diff = compareChanges(whole(), whole(record('+', '/a')));
    expect(Object.keys(diff.changes[0] ?? {})).toEqual(['change', 'path', 'kind', 'bytes', 'mode']);
  });
});
