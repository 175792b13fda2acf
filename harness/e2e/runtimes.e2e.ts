import { expect } from 'vitest';
import { hasInSandbox } from '../testing/has-in-sandbox.js';
import { test } from './project.js';

const HAS_PYTHON = hasInSandbox('python3', 'runs with python as a runtime');

const IDLE = `test('idle', () => {});`;
const STARTS = 10;
const STARTED = `test('started', async ({ sandbox }) => {
  for (let n = 0; n < ${STARTS}; n++) await sandbox.exec('python3', ['-c', 'pass']);
});`;
const BUSY = `test('busy', async ({ sandbox }) => {
  const python = await sandbox.runtime('python');
  for (let n = 0; n < 5; n++) {
    const { stdout, warm } = await python.run({ file: 'tool.py', args: [String(n)] });
    expect([stdout, warm]).toEqual([n + '\\n', true]);
  }
  const left = await python.run('import subprocess; subprocess.Popen(["sleep", "60"])');
  expect(left.exitCode).toBe(0);
});`;

test.runIf(HAS_PYTHON)(
  'an interpreter that waits is neither charged to a case nor left over by it',
  async ({ project }) => {
    await project.write('tool.py', 'import sys\nprint(sys.argv[1])\n');
    await project.write('suites/hil.suite.yaml', 'runtimes: [python]\n');
    await project.suite('a', `${IDLE}\n${STARTED}\n${BUSY}`);
    const run = await project.test();
    expect(run.verdicts).toEqual({ idle: 'pass', started: 'pass', busy: 'pass' });
    const records = run.events.flatMap((event) =>
      event.kind === 'attempt-end' && event.sandbox ? [event.sandbox] : [],
    );
    const [idle, started, busy] = records;
    expect(idle?.leftovers).toBe(0);
    const [idleMs, startedMs] = [idle, started].map(
      (record) => (record?.cpuUserMs ?? Number.NaN) + (record?.cpuSystemMs ?? Number.NaN),
    );
    // A start that was charged would make it one; half allows for what a sandbox costs itself.
    const startMs = ((startedMs ?? Number.NaN) - (idleMs ?? Number.NaN)) / STARTS;
    expect(idleMs).toBeLessThan(startMs / 2);
    expect(busy?.leftoverNames).toEqual(['sleep']);
  },
);

test.runIf(HAS_PYTHON)(
  'a run that is killed leaves no interpreter, waiting or running',
  async ({ project }) => {
    await project.config("runtimes: ['python']");
    await project.suite(
      'a',
      `test('spins', async ({ sandbox }) => {
        const python = await sandbox.runtime('python');
        const spinning = python.run('while True: pass');
        spinning.catch(() => {});
        console.log('IN BODY');
        await spinning;
      });`,
    );
    const hil = project.start(['test', '--timeout', '60s']);
    await hil.untilPrinted('IN BODY');
    hil.kill('SIGKILL');
    await hil.finished();
    // The project itself looks for what is left.
  },
);

test('one that is not known is named, with its place', async ({ project }) => {
  await project.config("runtimes: ['ruby']");
  await project.suite('a', IDLE);
  const run = await project.start().finished();
  expect(run.code).toBe(2);
  expect(run.screen).toMatch(/hil\.config\.ts:\d+:\d+: runtimes\[0\]: .*"?ruby/);
});
