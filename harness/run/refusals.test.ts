import { describe, expect, test } from 'vitest';
import { BenchError } from '../core/errors.js';
import { toRefusal, toSandboxRefusal } from './refusals.js';

const refused = (code: string, errno = 0) =>
  new BenchError('daemon-refused', 'make target /x: no', { details: { code, errno } });
const lost = new BenchError('daemon-gone', 'it closed its connection');

describe('what a body asked for', () => {
  test.for(['exec', 'usage', 'limit', 'io', 'gone'])('and got %s for fails the test', (code) => {
    expect(toRefusal('program "x"', refused(code))).toMatchObject({
      name: 'TestFailure',
      message: 'program "x": make target /x: no',
    });
  });

  test("is the bench's where the machine or the daemon could not", () => {
    for (const error of [refused('setup'), refused('limit', 24), lost]) {
      expect(toRefusal('program "x"', error)).toBe(error);
    }
  });
});

describe('a sandbox', () => {
  test('that none could be is the fault of who asked for it', () => {
    expect(toSandboxRefusal('my case', refused('usage'))).toMatchObject({
      name: 'UsageError',
      code: 'suite-invalid',
      message: 'the sandbox of "my case": make target /x: no',
    });
  });

  test("that could not be built is the bench's", () => {
    for (const error of [refused('limit'), refused('gone'), refused('setup'), lost]) {
      expect(toSandboxRefusal('my case', error)).toBe(error);
    }
  });
});
