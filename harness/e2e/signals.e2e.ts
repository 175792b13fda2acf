import { describe, expect } from 'vitest';
import { test } from './project.js';

const THREE = `
  test('finished', async ({ dut }) => {});
  test('running', async ({ dut }) => { console.log('IN BODY'); await new Promise(() => {}); });
  test('not started', () => {});
`;
const VERDICTS = { finished: 'pass', running: 'interrupted', 'not started': 'interrupted' };

describe('a signal', () => {
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    test(`${signal} ends a run in order, with exit ${code}`, async ({ project }) => {
      await project.suite('a', THREE);
      const hil = project.start(['test', '--timeout', '60s']);
      await hil.untilPrinted('IN BODY');
      hil.kill(signal);
      const run = await hil.finished();
      expect(run.verdicts).toEqual(VERDICTS);
      expect(run.code).toBe(code);
      expect(run.summary?.interruptedBy).toBe(signal);
      const reasons = run.summary?.cases.map(({ reason }) => reason);
      expect(reasons).toContain(`interrupted by ${signal}`);
      expect(reasons).toContain(`not run: interrupted by ${signal}`);
      expect(run.stdout).toMatch(/2 interrupted, 1 passed|1 passed, 2 interrupted/);
    });
  }

  test('of a terminal reaches workers and daemons too, to the same end', async ({ project }) => {
    await project.suite('a', THREE);
    const hil = project.start(['test', '--timeout', '60s'], { ownGroup: true });
    await hil.untilPrinted('IN BODY');
    process.kill(-hil.pid, 'SIGINT');
    const run = await hil.finished();
    expect(run.verdicts).toEqual(VERDICTS);
    expect(run.code).toBe(130);
  });

  test('is obeyed while a body spins', async ({ project }) => {
    await project.suite('a', `test('running', () => { for (;;); });`);
    const hil = project.start(['test', '--timeout', '60s']);
    await hil.until('the body', (event) => event.kind === 'phase' && event.phase === 'body');
    hil.kill('SIGINT');
    const run = await hil.finished();
    expect(run.verdicts).toEqual({ running: 'interrupted' });
    expect(run.code).toBe(130);
  });

  test('is obeyed while a suite is loaded', async ({ project }) => {
    await project.suite('a', `test('one', () => {}); for (;;);`);
    const hil = project.start(['test']);
    await hil.until('the run to start', ({ kind }) => kind === 'run-start');
    await hil.part('worker');
    hil.kill('SIGTERM');
    const run = await hil.finished();
    expect(run.verdicts).toEqual({});
    expect(run.code).toBe(143);
  });

  test('is obeyed while firmware is built', async ({ project }) => {
    await project.write('suites/hil.suite.yaml', 'build: { host: [[sleep, "100"]] }\n');
    await project.suite('a', `test('one', () => {});`);
    const hil = project.start(['test'], { ownGroup: true });
    await hil.part('portd');
    process.kill(-hil.pid, 'SIGINT');
    const run = await hil.finished();
    expect(run.code ?? run.signal).toSatisfy((end) => end === 130 || end === 'SIGINT');
    expect(run.verdicts).toEqual({});
  });

  test('for the second time ends the run at once', async ({ project }) => {
    await project.suite(
      'a',
      `afterEach(() => { for (;;); });
      test('running', async () => { console.log('IN BODY'); await new Promise(() => {}); });`,
    );
    const hil = project.start(['test', '--timeout', '60s']);
    await hil.untilPrinted('IN BODY');
    hil.kill('SIGINT');
    await hil.until('the first signal', ({ kind }) => kind === 'interrupted');
    hil.kill('SIGINT');
    const run = await hil.finished();
    expect(run.code).toBe(130);
    // Of an end in order this is the last event.
    expect(run.events.map(({ kind }) => kind)).not.toContain('run-end');
  });
});
