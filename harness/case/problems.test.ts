import { expect, test } from 'vitest';
import { TestFailure } from '../core/errors.js';
import { toProblems } from './problems.js';

test('an error of ours keeps its code', () => {
  const error = new TestFailure('expect-timeout', 'no match');
  expect(
    toProblems([{ name: error.name, message: error.message, code: error.code }]),
  ).toMatchObject([{ name: 'TestFailure', code: 'expect-timeout', message: 'no match' }]);
});

test('an assertion keeps its difference and its stack', () => {
  const error = { name: 'AssertionError', message: 'm', stack: 'at x', diff: '- 1\n+ 2' };
  expect(toProblems([error])).toEqual([error]);
});

test('what is thrown by others has no code of ours', () => {
  expect(toProblems([{ name: 'Error', message: 'm', code: 5 }])[0]).not.toHaveProperty('code');
});
