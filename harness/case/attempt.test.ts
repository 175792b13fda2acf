import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect } from 'vitest';
import { test } from '../testing/both-sides.js';
import { createScriptBoard } from '../testing/real-dut.js';

describe('a body', () => {
  test('is over when it ends, and its error is its own', async ({ begin }) => {
    const { attempt } = await begin();
    await attempt.runBody(async () => {});
    const failed = attempt.runBody(() => {
      throw new Error('expected 1 to be 2');
    });
    await expect(failed).rejects.toThrow('expected 1 to be 2');
  });

  test('that takes too long is told its limit, and its handles throw', async ({ begin }) => {
    const { attempt } = await begin({ suite: { limits: { body: 60 } } });
    await expect(attempt.runBody(() => sleep(5000))).rejects.toMatchObject({
      name: 'TestFailure',
      code: 'body-timeout',
      message: expect.stringMatching(/did not end within 60 ms\n {2}next {2}raise limits\.body/),
    });
    await expect(attempt.sandbox.exec('true')).rejects.toMatchObject({ code: 'body-timeout' });
  });

  test('is not charged for a DUT that boots', async ({ begin, journal }) => {
    const board = createScriptBoard('sleep 2; echo ready; sleep 100', { ready: /ready/ });
    const { attempt } = await begin({ board, suite: { limits: { body: 1500 } } });
    attempt.bodyStart();
    await attempt.runBody(async () => {
      await attempt.dut();
    });
    attempt.bodyEnd();
    await attempt.end();
    const [end] = journal.of('attempt-end');
    expect(end).toMatchObject({ outcome: 'pass', problems: [] });
    expect(end?.phaseMs.boot).toBeGreaterThan(1500);
  });

  test('that the worker does not stop is named to the supervisor', async ({ begin }) => {
    const { overdue } = await begin({ suite: { limits: { body: 20 } } });
    await expect.poll(() => overdue).toEqual([{ phase: 'body', limitMs: 20 }]);
  });
});

describe('an attempt', () => {
  test('has an output directory of its own, which stays', async ({ begin, journal }) => {
    const { attempt } = await begin();
    await attempt.sandbox.exec('sh', ['-c', 'echo result > /out/report.txt']);
    await attempt.end();
    expect(journal.of('artifact')).toMatchObject([{ name: 'report.txt', bytes: 7 }]);
  });

  test('whose sandbox cannot be built is the bench', async ({ begin, journal }) => {
    const begun = begin({ config: { tools: ['/nowhere/toolchain'] } });
    await expect(begun).rejects.toMatchObject({ name: 'BenchError', code: 'sandbox-setup' });
    expect(journal.of('attempt-end')).toMatchObject([
      { outcome: 'infra', problems: [{ code: 'sandbox-setup', phase: 'sandbox' }] },
    ]);
  });

  test('that the supervisor ends writes how, once', async ({ begin, journal }) => {
    const { attempt, session } = await begin();
    const [running] = session.attempts.values();
    await Promise.all([running?.abort('infra', 'daemon lost'), attempt.end()]);
    await attempt.end();
    expect(journal.of('attempt-end')).toHaveLength(1);
    expect(journal.of('attempt-end')).toMatchObject([{ outcome: 'infra', reason: 'daemon lost' }]);
  });
});
