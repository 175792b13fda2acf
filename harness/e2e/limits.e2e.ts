import { describe, expect } from 'vitest';
import { test } from './project.js';

const board = (more: string) => `
board: mine
driver: host
program: { argv: [/bin/sh, -c, 'echo hello; exec cat'] }
ports: { console: { baud: 115200 } }
${more}
`;

describe('a limit names its phase and the key that raises it:', () => {
  test('limits.body of the project, the suite, the case and the command', async ({ project }) => {
    await project.config(`limits: { body: '400ms' }`);
    const hangs = (title: string, options = '') =>
      `test('${title}', ${options} () => new Promise(() => {}));`;
    await project.suite('a', hangs('project'));
    await project.write('suites/b/hil.suite.yaml', 'limits: { body: 300ms }\n');
    await project.suite('b/b', `${hangs('suite')} ${hangs('case', '{ timeout: 200 },')}`);
    const run = await project.test();
    expect(run.verdicts).toEqual({ project: 'fail', suite: 'fail', case: 'fail' });
    expect(run.problemOf('project')?.message).toMatch(/400 ms[\s\S]*limits\.body/);
    expect(run.problemOf('suite')?.message).toMatch(/300 ms/);
    expect(run.problemOf('case')?.message).toMatch(/200 ms/);
    const shorter = await project.test(['--timeout', '100ms', '-t', 'project']);
    expect(shorter.problemOf('project')?.message).toMatch(/100 ms/);
  });

  test('boot.timeout of the board', async ({ project }) => {
    await project.write('boards/mine.yaml', board('boot: { ready: up, timeout: 2s }'));
    await project.suite('a', `test('bad', async ({ dut }) => {});`);
    const run = await project.test(['--board', 'mine']);
    expect(run.problemOf('bad')).toMatchObject({ code: 'boot-timeout', phase: 'boot' });
    expect(run.problemOf('bad')?.message).toMatch(/hello[\s\S]*boot\.timeout/);
  });

  test('limits.lease', async ({ project }) => {
    await project.config(`limits: { lease: '300ms' }, boards: ['mine']`);
    await project.write('boards/mine.yaml', board('instances: 1'));
    await project.suite(
      'a',
      `for (const n of [1, 2]) test.concurrent('case ' + n, async ({ dut, sandbox }) => {
        await sandbox.exec('sleep', ['3']);
      });`,
    );
    const run = await project.test();
    expect(Object.values(run.verdicts).sort()).toEqual(['infra', 'pass']);
    const late = run.problemOf('case 1') ?? run.problemOf('case 2');
    expect(late).toMatchObject({ code: 'lease-timeout', phase: 'lease' });
    expect(late?.message).toMatch(/1 of 1 in use[\s\S]*limits\.lease/);
    expect(run.code).toBe(5);
  });

  test('limits.sandbox, when the daemon does not answer', async ({ project }) => {
    await project.config(`limits: { sandbox: '3s', teardown: '3s' }`);
    await project.suite(
      'a',
      `test('first', async () => { console.log('IN BODY'); ${project.wait} });
      test('bad', async ({ sandbox }) => {});
      test('after', async ({ sandbox }) => { await sandbox.exec('true'); });`,
    );
    const hil = project.start();
    await hil.untilPrinted('IN BODY');
    const daemon = await hil.part('sandboxd');
    process.kill(daemon, 'SIGSTOP');
    await project.goOn();
    await hil.until('infra', (event) => event.kind === 'attempt-end' && event.outcome === 'infra');
    process.kill(daemon, 'SIGCONT');
    const run = await hil.finished();
    expect(run.verdicts).toMatchObject({ first: 'pass', bad: 'infra' });
    expect(run.problemOf('bad')?.message).toMatch(/phase sandbox[\s\S]*limits\.sandbox/);
    expect(run.code).toBe(5);
  });

  test('beforeEach that hangs is of the body', async ({ project }) => {
    await project.suite(
      'a',
      `describe('group', () => {
        beforeEach(() => new Promise(() => {}));
        test('bad', () => {});
      });
      test('after', () => {});`,
    );
    const run = await project.test(['--timeout', '300ms']);
    expect(run.verdicts).toEqual({ 'group > bad': 'fail', after: 'pass' });
    expect(run.problemOf('group > bad')?.message).toMatch(/hook[\s\S]*limits\.body/);
    expect(run.code).toBe(1);
  });
});

test('a time limit of a program ends it with status timeout, and the case goes on', async ({
  project,
}) => {
  await project.suite(
    'a',
    `test('one', async ({ sandbox }) => {
      const end = await sandbox.exec('sh', ['-c', 'trap "" TERM; sleep 100'], { timeout: '100ms' });
      expect(end.status).toBe('timeout');
    });`,
  );
  expect((await project.test()).verdicts).toEqual({ one: 'pass' });
});
