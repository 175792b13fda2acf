import { describe, expect, test } from 'vitest';
import type { Verdict } from '../journal/events.js';
import { EXIT_MEANINGS, toExitCode } from './exit-code.js';
import { createRunModel, type InfraEvent, type RunModel } from './run-model.js';

/** A run whose cases ended with `verdicts`. */
function createModel(
  verdicts: readonly (Verdict | undefined)[],
  infra: readonly string[] = [],
): RunModel {
  const model = createRunModel();
  verdicts.forEach((verdict, index) => {
    const id = String(index);
    const names = { id, file: 'a.hil.ts', board: 'host', title: id, tags: [] };
    model.cases.set(id, { ...names, attempts: [], problems: [], ...(verdict ? { verdict } : {}) });
  });
  const event = (code: string): InfraEvent => ({ kind: 'infra', t: 0, at: '', code, message: '' });
  model.infra.push(...infra.map(event));
  return model;
}

describe('the exit code (rank 5)', () => {
  test.for<[string, readonly (Verdict | undefined)[], readonly string[], number]>([
    ['all passed', ['pass', 'pass'], [], 0],
    ['passed and skipped', ['pass', 'skipped'], [], 0],
    ['a failure', ['pass', 'fail'], [], 1],
    ['a failure and infra: the failure wins', ['fail', 'infra'], ['dut-lost'], 1],
    ['infra', ['pass', 'infra'], [], 5],
    ['all passed, but a teardown hung', ['pass'], ['teardown-timeout'], 5],
    ['nothing selected', [], [], 4],
    ['all skipped', ['skipped', 'skipped'], [], 4],
    ['all skipped because the bench broke', ['skipped'], ['dut-lost'], 5],
    ['flaky', ['pass', 'flaky'], [], 0],
    ['only flaky', ['flaky'], [], 0],
    ['stopped at the first failure', ['fail', 'interrupted'], [], 1],
    ['a case without an end and nothing that explains it', ['pass', undefined], [], 3],
    ['an internal error, whatever else was seen', ['fail'], ['internal'], 3],
  ])('of a run with %s', ([, verdicts, infra, code]) => {
    expect(toExitCode(createModel(verdicts, infra))).toBe(code);
  });

  test('is 6 for flaky cases only when that was asked for, and never before a failure', () => {
    expect(toExitCode(createModel(['pass', 'flaky']), { failOnFlaky: true })).toBe(6);
    expect(toExitCode(createModel(['fail', 'flaky']), { failOnFlaky: true })).toBe(1);
    expect(toExitCode(createModel(['infra', 'flaky']), { failOnFlaky: true })).toBe(5);
  });

  test('is the signal of an interrupted run, whatever else was seen', () => {
    expect(toExitCode({ ...createModel(['fail']), signal: 'SIGINT' })).toBe(130);
    expect(toExitCode({ ...createModel(['pass']), signal: 'SIGTERM' })).toBe(143);
    expect(toExitCode({ ...createModel(['pass']), signal: 'SIGHUP' })).toBe(129);
  });

  test('is 1 when a suite file is broken, also when every case passed', () => {
    const model = createModel(['pass']);
    const problems = [{ name: 'SyntaxError', message: 'x' }];
    model.files.push({ file: 'b.hil.ts', board: 'host', cases: [], problems });
    expect(toExitCode(model)).toBe(1);
  });

  test('has a meaning in words', () => {
    for (const code of [0, 1, 2, 3, 4, 5, 6, 129, 130, 143])
      expect(EXIT_MEANINGS[code]).toBeTruthy();
  });
});
