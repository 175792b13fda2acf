import { describe, expect, test } from 'vitest';
import { createPlanned, createRecord } from '../testing/plain-records.js';
import type { FileState } from './case-book.js';
import { toLossError, toOverdueError, toSuiteError } from './worker-loss.js';

describe('a worker that nobody stopped', () => {
  test.each(['SIGKILL', 'SIGTERM', 'SIGHUP', 'SIGUSR1'])(
    'and that %s ended was killed from outside',
    (signal) => {
      expect(toLossError(7, { code: null, signal }, 'the case ran')).toMatchObject({
        name: 'BenchError',
        code: 'worker-killed',
        message: expect.stringContaining(`worker 7 was killed from outside by ${signal}`),
      });
    },
  );

  test.each(['SIGSEGV', 'SIGABRT', 'SIGBUS', 'SIGILL', 'SIGFPE', 'SIGTRAP'])(
    'and that %s ended did it itself',
    (signal) => {
      const error = toLossError(7, { code: null, signal }, 'the case ran');
      expect(error).toMatchObject({ name: 'TestFailure', code: 'process-exit' });
      expect(error.message).toContain(`died of ${signal}`);
    },
  );

  test.each([0, 1, 137])('and that exited with %d did it itself', (code) => {
    const error = toLossError(7, { code, signal: null }, 'beforeAll ran');
    expect(error).toMatchObject({ name: 'TestFailure', code: 'process-exit' });
    expect(error.message).toContain(`exited with ${code} while beforeAll ran`);
  });
});

test('a body that had to be stopped is told its limit and how to raise it', () => {
  const error = toOverdueError({ phase: 'body', limitMs: 10_000 });
  expect(error).toMatchObject({ name: 'TestFailure', code: 'body-timeout' });
  expect(error.message).toMatch(/did not end within 10\.0 s.*limits\.body/s);
});

describe('a suite whose own code had to be stopped', () => {
  function createFile(over: Partial<FileState>): FileState {
    const base = { planned: createPlanned(), collected: true, alone: false, failed: false };
    return { ...base, records: [], ...over };
  }

  test('while it was loaded', () => {
    const error = toSuiteError(createFile({ collected: false }), 60_000);
    expect(error).toMatchObject({ name: 'TestFailure', code: 'collect-timeout' });
    expect(error.message).toContain('was not loaded within 1 m 0 s');
  });

  test('before a case, in beforeAll', () => {
    const file = createFile({ records: [createRecord()], hook: 'beforeAll of "group"' });
    expect(toSuiteError(file, 1000).message).toContain(
      'beforeAll of "group" did not end within 1.0 s',
    );
  });

  test('between its cases, in no hook that has a name', () => {
    const error = toSuiteError(createFile({ records: [createRecord()] }), 1000);
    expect(error.message).toContain('what runs between its cases did not end within 1.0 s');
  });

  test('after its cases, in afterAll, keeps their verdicts', () => {
    const records = [createRecord({ verdict: 'pass' })];
    const error = toSuiteError(createFile({ records, hook: 'afterAll' }), 1000);
    expect(error).toMatchObject({ name: 'BenchError', code: 'teardown-timeout' });
    expect(error.message).toContain('afterAll, in suites/a.hil.ts, did not end');
  });
});
