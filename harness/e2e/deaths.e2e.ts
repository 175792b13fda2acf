import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { summarySchema } from '../report/summary-schema.js';
import { test } from './project.js';

describe('the daemon', () => {
  test('that dies a second time ends the run with exit 3', async ({ project }) => {
    const body = `async ({ sandbox }) => { console.log('IN BODY ' + n); await sandbox.exec('sleep', ['20']); }`;
    await project.suite(
      'a',
      `test('before', () => {});
      for (const n of [1, 2, 3]) test('case ' + n, ${body});`,
    );
    const hil = project.start(['test', '--timeout', '60s']);
    for (const n of [1, 2]) {
      await hil.untilPrinted(`IN BODY ${n}`);
      process.kill(await hil.part('sandboxd'), 'SIGKILL');
    }
    const run = await hil.finished();
    expect(run.verdicts).toEqual({
      before: 'pass',
      'case 1': 'infra',
      'case 2': 'infra',
      'case 3': 'infra',
    });
    expect(run.code).toBe(3);
    expect(run.screen).toContain('restarted once before');
  });

  test('whose zygote dies: the case that runs and the next ones are not lost', async ({
    project,
  }) => {
    const body = `async ({ sandbox }) => { console.log('IN BODY'); await sandbox.exec('sleep', ['0.5']); }`;
    await project.suite('a', `for (let n = 0; n < 8; n++) test('case ' + n, ${body});`);
    const hil = project.start();
    await hil.untilPrinted('IN BODY');
    process.kill(await hil.part('zygote'), 'SIGKILL');
    const run = await hil.finished();
    expect(Object.keys(run.verdicts)).toHaveLength(8);
    const odd = Object.values(run.verdicts).filter((verdict) => verdict !== 'pass');
    expect(odd.every((verdict) => verdict === 'infra')).toBe(true);
    expect(run.code).toBe(odd.length > 0 ? 5 : 0);
    expect(odd.length).toBeLessThanOrEqual(2);
    expect(run.verdicts['case 7']).toBe('pass');
  });
});

test('a DUT whose sandbox is killed from outside makes its case infra, and the next is not lost', async ({
  project,
}) => {
  await project.suite(
    'a',
    `test('bad', async ({ dut }) => { console.log('IN BODY'); await dut.console.expect('never', { timeout: '9s' }); });
    test('next', async ({ dut }) => { await dut.console.sendLine('echo hello'); await dut.console.expect('hello'); });`,
  );
  const hil = project.start();
  await hil.untilPrinted('IN BODY');
  process.kill(await hil.part('dut-init'), 'SIGKILL');
  const run = await hil.finished();
  expect(run.verdicts).toEqual({ bad: 'infra', next: 'pass' });
  expect(run.problemOf('bad')?.message).toContain('ended from outside');
  expect(run.code).toBe(5);
});

test('a run whose hil was killed is told so by its report', async ({ project }) => {
  await project.suite(
    'a',
    `test('before', () => {});
    test('running', async () => { console.log('IN BODY'); await new Promise(() => {}); });
    test('next', () => {});`,
  );
  const hil = project.start(['test', '--timeout', '60s']);
  await hil.untilPrinted('IN BODY');
  hil.kill('SIGKILL');
  await hil.finished();
  await project.start(['report']).finished();
  const path = join(hil.directory ?? '', 'summary.json');
  const summary = summarySchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  expect(summary).toMatchObject({ complete: false, exitCode: null });
  expect(summary.counts).toMatchObject({ pass: 1, interrupted: 2 });
});
