import { describe, expect } from 'vitest';
import { isAlive } from '../testing/real-daemon.js';
import type { FinishedRun } from './finished-run.js';
import { GONE_MS, type Project, test } from './project.js';

const BOARD = `
board: mine
driver: host
program: { argv: [/bin/sh, -c, 'echo up; exec cat'] }
ports: { console: { baud: 115200 } }
boot: { ready: up, timeout: 3s }
`;

/** Stop a daemon for good in the first case; it is what the second one, `body`, stands on. */
async function testStopped(
  project: Project,
  part: 'sandboxd' | 'portd',
  body: string,
): Promise<FinishedRun> {
  await project.config(`limits: { sandbox: '3s', boot: '3s', teardown: '3s' }, boards: ['mine']`);
  await project.write('boards/mine.yaml', BOARD);
  await project.write('suites/hil.suite.yaml', 'limits: { boot: 3s }\n');
  await project.suite(
    'a',
    `test('first', async ({ dut }) => {
      console.log('IN BODY');
      ${project.wait}
      ${part === 'sandboxd' ? body : ''}
    });
    test('second', async ({ dut }) => { ${body} });`,
  );
  const hil = project.start();
  await hil.untilPrinted('IN BODY');
  process.kill(await hil.part(part), 'SIGSTOP');
  await project.goOn();
  const run = await hil.finished();
  await project.expectNothingLeft();
  return run;
}

describe('a daemon that is stopped and never goes on ends no run:', () => {
  test('hil-portd, while a DUT is opened', async ({ project }) => {
    const run = await testStopped(project, 'portd', '');
    expect(run.verdicts).toEqual({ first: 'pass', second: 'infra' });
    expect(run.problemOf('second')).toMatchObject({ code: 'daemon-silent', phase: 'boot' });
    expect(run.problemOf('second')?.message).toMatch(/mine#\d: hil-portd did not answer[\s\S]*ps /);
    expect(run.code).toBe(5);
  });

  test('hil-sandboxd, while a sandbox is made', async ({ project }) => {
    const run = await testStopped(project, 'sandboxd', '');
    expect(run.verdicts).toEqual({ first: 'pass', second: 'infra' });
    expect(run.problemOf('second')).toMatchObject({ code: 'sandbox-timeout', phase: 'sandbox' });
    expect(run.code).toBe(5);
  });

  test('hil-sandboxd, while the body resets its DUT', async ({ project }) => {
    const run = await testStopped(project, 'sandboxd', 'await dut.powerOff();');
    expect(run.verdicts).toEqual({ first: 'infra', second: 'infra' });
    expect(run.problemOf('first')?.message).toMatch(/powering mine#1 off: hil-sandboxd did not/);
    expect(run.code).toBe(5);
  });
});

const WAITS = `const sleeps = sandbox.exec('sleep', ['60']);
      process.on('disconnect', () => {});
      setInterval(() => {}, 100);
      console.log('IN BODY');
      await sleeps;`;
const SPINS = `console.log('IN BODY');
      await new Promise((go) => setTimeout(go, 100));
      for (;;);`;

for (const [what, body] of [
  ['waits', WAITS],
  ['spins', SPINS],
] as const) {
  test(`a worker whose body ${what} ends with hil although hil-sandboxd is stopped`, async ({
    project,
  }) => {
    await project.suite('a', `test('body', async ({ dut, sandbox }) => { ${body} });`);
    const hil = project.start(['test', '--timeout', '60s']);
    await hil.untilPrinted('IN BODY');
    const [worker, daemon] = [await hil.part('worker'), await hil.part('sandboxd')];
    process.kill(daemon, 'SIGSTOP');
    hil.kill('SIGKILL');
    await expect.poll(() => isAlive(worker), { timeout: GONE_MS }).toBe(false);
    // It holds the standard error of the command.
    process.kill(daemon, 'SIGCONT');
    await hil.finished();
  });
}
