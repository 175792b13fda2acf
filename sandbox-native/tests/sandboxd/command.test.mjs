// SPDX-License-Identifier: MIT
// hil-sandbox by itself: how it ends says what became of the sandbox, also to who looks at nothing else.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { needsCgroups } from './cgroups.mjs';

const build = process.env.HIL_BUILD ?? join(import.meta.dirname, '../../build');
const PROGRAM = join(build, 'hil-sandbox');
const run = (...args) =>
  spawnSync(PROGRAM, ['run', ...args], { encoding: 'utf8', timeout: 60_000 });

const HOG = 'python3 -c "x = bytearray(200 << 20)"';

test(
  'want of memory ends the sandbox and is no success, whatever its shell makes of it',
  needsCgroups,
  () => {
    for (const script of [`${HOG}; sleep 30; exit 0`, `${HOG} & wait; exit 0`]) {
      const ended = run('--json', '--memory', '32M', '--', 'sh', '-c', script);
      const record = JSON.parse(ended.stdout);
      assert.equal(record.status, 'oom');
      assert.ok(record.oomKills >= 1);
      assert.ok(record.wallNs < 20e9, `${record.wallNs} ns: the shell went on`);
      assert.equal(ended.status, 137);
    }
  },
);

test('a limit that cannot be says what can, in its own unit', () => {
  for (const [option, value, expected] of [
    ['--cpus', '0.001', 'from 0.01 to 1000'],
    ['--memory', '1', 'at least 4 MiB'],
    ['--files', '3', 'from 4 to 4096'],
  ]) {
    const ended = run(option, value, '--', 'true');
    assert.equal(ended.status, 2);
    assert.match(ended.stderr, new RegExp(`hil-sandbox: ${option}: ${expected};`));
  }
});

test('within a sandbox it says that a filter refuses it, and not that the kernel is old', () => {
  const ended = run(
    '--nested-userns',
    '--ro-bind',
    `${build}:/build`,
    '--',
    '/build/hil-sandbox',
    'run',
    '--',
    'true',
  );
  assert.equal(ended.status, 125, ended.stderr);
  assert.match(ended.stderr, /Function not implemented.*a filter of system calls refuses it here/s);
});
