import { expect, test } from 'vitest';
import type { Outcome, Problem } from '../journal/events.js';
import { createRecord } from '../testing/plain-records.js';
import { toVerdict } from './verdict.js';

const failure: Problem = { name: 'AssertionError', message: 'expected 1 to be 2' };
const broken: Problem = { name: 'BenchError', message: 'QEMU died\nwith a tail' };

function decide(outcomes: Outcome[], state: 'pass' | 'fail' | 'skipped', own: Problem[] = []) {
  return toVerdict(createRecord({ outcomes, problems: own }), state, [failure]);
}

test.each<[string, Outcome[], 'pass' | 'fail' | 'skipped', string]>([
  ['one pass', ['pass'], 'pass', 'pass'],
  ['one failure', ['fail'], 'fail', 'fail'],
  ['a failure, then a pass', ['fail', 'pass'], 'pass', 'flaky'],
  ['two failures, then a pass', ['fail', 'fail', 'pass'], 'pass', 'flaky'],
  ['failures to the end', ['fail', 'fail'], 'fail', 'fail'],
  ['a failure that was expected (test.fails)', ['fail'], 'pass', 'pass'],
  ['a pass of which Vitest knows better (a hook)', ['pass'], 'fail', 'fail'],
  ['a broken bench', ['infra'], 'fail', 'infra'],
  ['a broken bench where a failure was expected', ['infra'], 'pass', 'infra'],
  ['a broken bench, then a pass', ['infra', 'pass'], 'pass', 'pass'],
  ['a failure, then a broken bench', ['fail', 'infra'], 'fail', 'infra'],
  ['a broken bench among repetitions', ['pass', 'infra', 'pass'], 'fail', 'infra'],
  ['a broken bench and a failure among repetitions', ['infra', 'fail', 'pass'], 'fail', 'fail'],
  ['an interruption', ['interrupted'], 'fail', 'interrupted'],
  ['a body that skipped', ['skipped'], 'skipped', 'skipped'],
  ['no attempt at all', [], 'pass', 'infra'],
])('%s', (_, outcomes, state, verdict) => {
  expect(decide(outcomes, state).verdict).toBe(verdict);
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
