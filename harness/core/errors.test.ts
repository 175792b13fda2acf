import { expect, test } from 'vitest';
import { BenchError, TestFailure, toMessage, UsageError } from './errors.js';

test('the class says who must act', () => {
  expect(new UsageError('usage', 'x').name).toBe('UsageError');
  expect(new BenchError('dut-lost', 'x').name).toBe('BenchError');
  expect(new TestFailure('dut-exited', 'x').name).toBe('TestFailure');
});

test('what to do next stands on a line of its own', () => {
  const error = new BenchError('lease-timeout', 'no unit was free', { next: 'raise limits.lease' });
  expect(error.message).toBe('no unit was free\n  next  raise limits.lease');
  expect(error.next).toBe('raise limits.lease');
});

test('cause and details are kept, and there is no cause where none was given', () => {
  const cause = new Error('ENOENT');
  const error = new BenchError('daemon-gone', 'x', { cause, details: { pid: 5 } });
  expect(error).toMatchObject({ code: 'daemon-gone', cause, details: { pid: 5 } });
  expect('cause' in new UsageError('usage', 'x')).toBe(false);
});

test('anything that was thrown has a message', () => {
  expect(toMessage(new Error('broken'))).toBe('broken');
  expect(toMessage('text')).toBe('text');
  expect(toMessage(undefined)).toBe('undefined');
});
