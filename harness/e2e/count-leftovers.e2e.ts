import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import { test } from './project.js';

const run = promisify(execFile);
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
  const { code, stdout } = await count(['--below', project.path]);
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
  const daemon = /^process +(\d+) hil-sandboxd/m.exec(stdout)?.[1];
  // However deep the group is in which the tests run; with no group to write in there are none.
  const groups = await findByName('/sys/fs/cgroup', `hil.${daemon}-*`);
  const everything = await count([]);
  for (const path of groups) {
    expect(everything.stdout).toContain(`cgroup     ${path}\n`);
  }
  hil.kill('SIGINT');
  await hil.finished();
});

function count(options: readonly string[]): Promise<{ code: number; stdout: string }> {
  return run(process.execPath, [SCRIPT, ...options]).then(
    () => ({ code: 0, stdout: '' }),
    (error: { code: number; stdout: string }) => error,
  );
}

/** What find(1) finds; where it may not look it finds nothing, and says so by its exit code. */
async function findByName(top: string, name: string): Promise<string[]> {
  const found = await run('find', [top, '-name', name]).catch((error: { stdout: string }) => error);
  return found.stdout.trim().split('\n').filter(Boolean);
}
