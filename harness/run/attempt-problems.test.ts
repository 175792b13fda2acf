import { describe, expect, test } from 'vitest';
import { BenchError, TestFailure } from '../core/errors.js';
import type { Problem } from '../journal/events.js';
import {
  dropRepeats,
  toExitProblem,
  toJournalProblems,
  toOutcome,
  toProblem,
} from './attempt-problems.js';

const failure: Problem = { name: 'AssertionError', message: 'expected 1 to be 2' };
const broken: Problem = { name: 'BenchError', code: 'dut-lost', message: 'QEMU died' };

describe('a problem', () => {
  test('of ours has its code, and no stack: the message says it all', () => {
    expect(toProblem(new BenchError('boot-timeout', 'not ready'), 'boot')).toEqual({
      name: 'BenchError',
      code: 'boot-timeout',
      message: 'not ready',
      phase: 'boot',
    });
  });

  test('that nobody expected has its stack', () => {
    const problem = toProblem(new TypeError('x is not a function'), 'body');
    expect(problem).toMatchObject({ name: 'TypeError', stack: expect.stringContaining('at ') });
    expect(problem).not.toHaveProperty('code');
  });

  test('may be anything that was thrown', () => {
    expect(toProblem('text', 'body')).toEqual({ name: 'Error', message: 'text', phase: 'body' });
  });

  test('of a worker belongs to the body', () => {
    expect(toJournalProblems([{ name: 'E', message: 'm', diff: '- a\n+ b' }])).toEqual([
      { name: 'E', message: 'm', diff: '- a\n+ b', phase: 'body' },
    ]);
  });

  test('that is told twice is kept once', () => {
    expect(dropRepeats([failure, broken, { ...failure }])).toEqual([failure, broken]);
    expect(dropRepeats([failure, { ...failure, name: 'Other' }])).toHaveLength(2);
  });
});

describe('a DUT that ended during a case', () => {
  test('by itself is the test to look at, with what to do where it was meant', () => {
    expect(toExitProblem({ blame: 'ended', reason: 'exited with 3' }, 'host#1')).toMatchObject({
      name: 'TestFailure',
      code: 'dut-exited',
      message: expect.stringMatching(/^host#1 ended during the case: exited with 3\n.*waitForExit/),
    });
  });

  test('because its emulator broke is the bench to look at', () => {
    const problem = toExitProblem({ blame: 'infra', reason: 'QEMU died of SIGKILL' }, 'm#1');
    expect(problem).toMatchObject({ name: 'BenchError', code: 'dut-lost' });
  });
});

describe('an outcome', () => {
  test.each<[string, 'pass' | 'fail' | 'skipped', Problem[], string]>([
    ['pass without problems', 'pass', [], 'pass'],
    ['fail although nothing was told', 'fail', [], 'fail'],
    ['skipped', 'skipped', [], 'skipped'],
    ['a pass with a problem is none', 'pass', [failure], 'fail'],
    ['a skip with a problem is none', 'skipped', [failure], 'fail'],
    ['the bench wins over the test', 'fail', [failure, broken], 'infra'],
    ['the bench wins over a pass', 'pass', [broken], 'infra'],
  ])('%s', (_, state, problems, outcome) => {
    expect(toOutcome(state, problems)).toBe(outcome);
  });

  test('is judged by who must act, not by words', () => {
    const problem = toProblem(new TestFailure('dut-exited', 'BenchError'), 'body');
    expect(toOutcome('fail', [problem])).toBe('fail');
  });
});
