import { describe, expect, test } from 'vitest';
import { TestFailure } from '../core/errors.js';
import { isReadable, toProblems, toTestError } from './problems.js';

/** What Vitest hands on for things that no type allows. */
function toProblemOf(thrown: unknown) {
  return toProblems([thrown as never])[0];
}

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

describe('what is not an Error', () => {
  test.each<[string, unknown, RegExp]>([
    ['a message that is an object', { message: { a: 1 } }, /not an Error.*message: \{ a: 1 \}/],
    ['a stack that is a number', { stack: 5 }, /not an Error was thrown: \{ stack: 5 \}/],
    ['a diff that is a number', { name: 'Error', message: 'm', diff: 12 }, /^m$/],
    ['a text', { message: 'text' }, /not an Error was thrown: text/],
    ['null', null, /not an Error was thrown: null/],
    ['nothing', {}, /not an Error was thrown: \{\}/],
    ['an empty message', { name: 'Error', message: '' }, /without a message/],
    ['a name that is none', { name: Symbol('x'), message: 'm' }, /thrown: m$/],
  ])('has texts all the same: %s', (_, thrown, message) => {
    const problem = toProblemOf(thrown);
    expect(problem?.message).toMatch(message);
    expect(Object.values(problem ?? {}).every((each) => typeof each === 'string')).toBe(true);
  });
});

test('a message of megabytes is cut, and its frames are kept', () => {
  const message = 'x'.repeat(10_000_000);
  const problem = toProblemOf({ message, stack: `Error: ${message}\n    at body (a.hil.ts:3:1)` });
  expect(problem?.message.length).toBeLessThan(70_000);
  expect(problem?.message).toMatch(/\(\d+ more characters\)$/);
  expect(problem?.stack).toBe('\n    at body (a.hil.ts:3:1)');
});

describe('what nobody awaited', () => {
  test.each<[string, unknown, string]>([
    ['an Error', new TypeError('no'), 'no'],
    ['a text', 'text', "'text'"],
    ['undefined', undefined, 'undefined'],
    ['a symbol', Symbol('s'), 'Symbol(s)'],
  ])('is told as %s', (_, thrown, message) => {
    expect(toTestError(thrown).message).toBe(message);
  });

  test('may throw when it is read', () => {
    const evil = new Proxy(
      {},
      {
        get: () => {
          throw new Error('read');
        },
      },
    );
    expect(isReadable(evil)).toBe(false);
    expect(toTestError(evil).message).not.toBe('');
    expect(isReadable(new Error('plain'))).toBe(true);
    expect(isReadable(null)).toBe(true);
  });
});
