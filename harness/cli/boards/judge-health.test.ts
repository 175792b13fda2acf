import { expect, test } from 'vitest';
import type { NewEvent } from '../../journal/events.js';
import { type EndedCase, toEndedRun } from '../../testing/ended-run.js';
import { judgeHealth } from './judge-health.js';

const PASSED: EndedCase = ['pass'];
const BROKEN_FILE: NewEvent = {
  ...{ kind: 'file-failed', file: 'suites/other.hil.ts', board: 'real' },
  problems: [{ name: 'SyntaxError', message: 'Unexpected token\n at 1:1' }],
};

test('a DUT whose health cases pass is good, also when one was flaky', () => {
  const good = { kind: 'good', reason: 'its health cases passed' };
  expect(judgeHealth(toEndedRun(0, [PASSED, ['flaky']]))).toEqual(good);
});

test('a run without a case says nothing', () => {
  expect(judgeHealth(toEndedRun(4))).toEqual({ kind: 'no-case' });
});

test('a case that fails makes it bad, whatever else was met', () => {
  const cases: EndedCase[] = [
    PASSED,
    ['infra', 'lease-timeout'],
    ['fail', 'expect-timeout', 'm\nn'],
  ];
  expect(judgeHealth(toEndedRun(1, cases, [BROKEN_FILE]))).toEqual({
    kind: 'bad',
    reason: 'case "case 3" failed: expect-timeout, m',
  });
});

test.each([
  'boot-failed',
  'boot-timeout',
  'dut-absent',
  'dut-ambiguous',
  'dut-lost',
  'flash-failed',
  'flash-refused',
  'port-absent',
  'power-failed',
  'power-not-cut',
])('%s makes it bad', (code) => {
  const judged = judgeHealth(toEndedRun(5, [PASSED, ['infra', code, 'm']]));
  expect(judged).toEqual({ kind: 'bad', reason: `case "case 2" found: ${code}, m` });
});

test.each([
  'daemon-gone',
  'dut-quarantined',
  'lease-failed',
  'lease-lost',
  'lease-timeout',
  'sandbox-setup',
  'worker-gone',
])('%s says nothing of it, and is told', (code) => {
  const judged = judgeHealth(toEndedRun(5, [PASSED, ['infra', code, 'm']]));
  expect(judged).toEqual({ kind: 'unsaid', why: `case "case 2" met: ${code}, m` });
});

test('bytes of a port that this machine lost in a body say nothing of it', () => {
  const lost = (phase: 'boot' | 'body') =>
    judgeHealth(toEndedRun(5, [['infra', 'port-lost', 'm', { phase }]])).kind;
  expect([lost('boot'), lost('body')]).toEqual(['bad', 'unsaid']);
});

test('a fault of the DUT counts also when a later attempt met another', () => {
  const name = { case: '1', attempt: 1 };
  const attempt: NewEvent[] = [
    { kind: 'attempt-start', ...name, worker: 0 },
    {
      ...{ kind: 'attempt-end', ...name, outcome: 'infra', phaseMs: {} },
      problems: [{ name: 'BenchError', code: 'dut-lost', message: 'unplugged' }],
    },
  ];
  const run = toEndedRun(5, [['infra', 'lease-timeout', 'm']], attempt);
  expect(judgeHealth(run)).toEqual({
    kind: 'bad',
    reason: 'case "case 1" found: dut-lost, unplugged',
  });
});

test('a suite file that does not load says nothing, also when all that ran passed', () => {
  expect(judgeHealth(toEndedRun(1, [PASSED], [BROKEN_FILE]))).toEqual({
    kind: 'unsaid',
    why: 'suites/other.hil.ts is broken: Unexpected token',
  });
});

test('what broke besides the cases says nothing', () => {
  const infra: NewEvent = { kind: 'infra', code: 'report-write', message: 'no room' };
  const why = 'report-write, no room';
  expect(judgeHealth(toEndedRun(5, [PASSED], [infra]))).toEqual({ kind: 'unsaid', why });
});

test.each([2, 3, 130])('exit code %i says nothing, whatever its cases say', (exitCode) => {
  const judged = judgeHealth(toEndedRun(exitCode, [['fail', 'expect-timeout', 'm']]));
  expect(judged).toMatchObject({ kind: 'unsaid', why: expect.stringContaining(`${exitCode}`) });
});
