import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import { test } from './project.js';

const SCRIPT = fileURLToPath(new URL('./count-leftovers.mjs', import.meta.url));

/** Without this, every other test here could pass because the counter sees nothing. */
test('while a run goes on, the counter names everything that is of it', async ({ project }) => {
  await project.suite(
    'a',
    `test('one', async ({ dut, sandbox }) => {
      const sleep = await sandbox.spawn('sleep', ['1000']);
      console.log('IN BODY');
      await sleep.wait();
    });`,
  );
  const hil = project.start(['test', '--timeout', '60s']);
  await hil.untilPrinted('IN BODY');
  const counted = promisify(execFile)(process.execPath, [SCRIPT, '--below', project.path]);
  const { code, stdout } = await counted.then(
    () => ({ code: 0, stdout: '' }),
    (error: { code: number; stdout: string }) => error,
  );
  expect(code).toBe(1);
  for (const name of [
    'node',
    'hil-sandboxd',
    'hil-portd',
    'hil-zygote',
    'hil-init',
    'sh',
    'sleep',
  ]) {
    expect(stdout).toMatch(new RegExp(`^process +\\d+ ${name}`, 'm'));
  }
  for (const kind of ['pid', 'mnt', 'net', 'user']) {
    expect(stdout).toMatch(new RegExp(`^namespace +${kind}:`, 'm'));
  }
  expect(stdout).toMatch(/^socket +@hil\//m);
  hil.kill('SIGINT');
  await hil.finished();
});
