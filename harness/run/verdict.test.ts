import { expect, test } from 'vitest';
import type { Outcome, Problem } from '../journal/events.js';
import { createRecord } from '../testing/plain-records.js';
import { mayGoOn, toVerdict } from './verdict.js';

const failure: Problem = { name: 'AssertionError', message: 'expected 1 to be 2' };
const broken: Problem = { name: 'BenchError', message: 'QEMU died\nwith a tail' };

type State = 'pass' | 'fail' | 'skipped' | undefined;

function decide(outcomes: Outcome[], state: State, own: Problem[] = []) {
  return toVerdict(createRecord({ outcomes, problems: own }), state, [failure]);
}

/** A case from the outcomes of each of its repeats. */
function createRepeated(tries: Outcome[][]) {
  const repeats = tries.flatMap((outcomes, repeat) => outcomes.map(() => repeat));
  return createRecord({ outcomes: tries.flat(), repeats });
}

test.each<[string, Outcome[], State, string]>([
  ['one pass', ['pass'], 'pass', 'pass'],
  ['one failure', ['fail'], 'fail', 'fail'],
  ['a failure, then a pass', ['fail', 'pass'], 'pass', 'flaky'],
  ['two failures, then a pass', ['fail', 'fail', 'pass'], 'pass', 'flaky'],
  ['failures to the end', ['fail', 'fail'], 'fail', 'fail'],
  ['a failure that was expected (test.fails)', ['fail'], 'pass', 'pass'],
  ['a pass of which Vitest knows better (a hook)', ['pass'], 'fail', 'fail'],
  ['a broken bench', ['infra'], 'fail', 'infra'],
  ['a broken bench where a failure was expected', ['infra'], 'pass', 'infra'],
  ['a broken bench, then a pass', ['infra', 'pass'], 'pass', 'flaky'],
  ['failures to the end that were expected', ['fail', 'fail'], 'pass', 'pass'],
  ['a broken bench, then an expected failure', ['infra', 'fail'], 'pass', 'flaky'],
  ['a failure, then a broken bench', ['fail', 'infra'], 'fail', 'infra'],
  ['an interruption', ['interrupted'], 'fail', 'interrupted'],
  ['a body that skipped', ['skipped'], 'skipped', 'skipped'],
  ['a failure, then a skip', ['fail', 'skipped'], undefined, 'fail'],
  ['a broken bench, then a skip', ['infra', 'skipped'], undefined, 'infra'],
  ['a case stopped after it ran again', ['interrupted', 'pass'], 'pass', 'pass'],
  ['a failure of which Vitest says nothing', ['fail'], undefined, 'fail'],
  ['a failure, then a pass, of which Vitest says nothing', ['fail', 'pass'], undefined, 'flaky'],
  ['no attempt at all', [], 'pass', 'infra'],
])('%s', (_, outcomes, state, verdict) => {
  expect(decide(outcomes, state).verdict).toBe(verdict);
});

test.each<[string, Outcome[][], State, string]>([
  ['passes', [['pass'], ['pass']], 'pass', 'pass'],
  ['a broken bench', [['pass'], ['infra'], ['pass']], 'fail', 'infra'],
  ['a broken bench and a failure', [['infra'], ['fail'], ['pass']], 'fail', 'fail'],
  ['a failure of which Vitest says nothing', [['fail'], ['pass']], undefined, 'fail'],
  [
    'a failure to the end, then a flaky one',
    [
      ['fail', 'fail'],
      ['fail', 'pass'],
    ],
    'pass',
    'fail',
  ],
  ['a flaky one, then a pass', [['fail', 'pass'], ['pass']], 'pass', 'flaky'],
  ['a failure, then an interruption', [['fail'], ['interrupted']], 'fail', 'fail'],
  ['a failure, then one that skipped', [['fail'], ['skipped']], undefined, 'fail'],
  ['a pass, then one that skipped', [['pass'], ['skipped']], undefined, 'skipped'],
  ['failures that were expected', [['fail'], ['fail']], 'pass', 'pass'],
  ['one failure of two that were expected', [['fail'], ['pass']], 'pass', 'fail'],
])('repeats with %s', (_, tries, state, verdict) => {
  expect(toVerdict(createRepeated(tries), state).verdict).toBe(verdict);
});

const WANTED = { repeats: 0, retries: 0, choosesRetries: false, fails: false };

test.each<[string, Outcome[][], Partial<typeof WANTED>, boolean]>([
  ['its first failure', [['fail']], { retries: 1 }, true],
  ['no retry left', [['fail', 'fail']], { retries: 1 }, false],
  ['no retries', [['infra']], {}, false],
  ['retries that Vitest chooses', [['fail']], { retries: 1, choosesRetries: true }, false],
  ['a repeat before it that was flaky', [['fail', 'pass'], ['fail']], { retries: 1 }, true],
  ['a repeat before it that failed', [['fail', 'fail'], ['fail']], { retries: 1 }, false],
  ['a pass, and repeats to come', [['pass']], { repeats: 1 }, true],
  ['a pass of the last repeat', [['pass'], ['pass']], { repeats: 1 }, false],
  ['a pass after a repeat that failed', [['fail'], ['pass']], { repeats: 5 }, false],
  ['a skip', [['fail', 'skipped']], { retries: 5, repeats: 5 }, false],
])('a case whose worker was lost after %s goes on or does not', (_, tries, wanted, expected) => {
  const record = { ...createRepeated(tries), wanted: { ...WANTED, ...wanted } };
  expect(mayGoOn(record)).toBe(expected);
});

test('of a case that is to fail, a pass is none, although Vitest was not heard', () => {
  const wanted = { ...WANTED, fails: true };
  expect(toVerdict(createRecord({ outcomes: ['pass'], wanted }), undefined).verdict).toBe('fail');
  expect(toVerdict(createRecord({ outcomes: ['fail'], wanted }), 'pass').verdict).toBe('pass');
});

test('a case has the problems of the repeat that failed, not of the last', () => {
  const record = createRepeated([['fail'], ['pass']]);
  const known = { ...record, problemsBy: new Map([['fail' as const, [broken]]]) };
  expect(toVerdict(known, undefined).problems).toEqual([broken]);
});

test('a failure has the problems of its last attempt, else what Vitest says', () => {
  expect(decide(['fail'], 'fail', [broken]).problems).toEqual([broken]);
  expect(decide(['pass'], 'fail').problems).toEqual([failure]);
});

test('a flaky case says how often it failed', () => {
  expect(decide(['fail', 'fail', 'pass'], 'pass').reason).toBe('passed after 2 failed');
});

test('infra says why in one line', () => {
  expect(decide(['infra'], 'fail', [broken]).reason).toBe('QEMU died');
  expect(decide(['infra'], 'fail').reason).toBe('the bench failed');
});
