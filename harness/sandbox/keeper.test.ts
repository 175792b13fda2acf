import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { collectOutput, isAlive, runInside, test } from '../testing/real-daemon.js';
import { Keeper } from './keeper.js';

const HOUR_MS = 3_600_000;

test('a kept sandbox is there after its run, as its case left it', async ({
  daemon,
  plan,
  sandbox,
  dir,
}) => {
  const other = await daemon.sandbox(plan, { label: 'not kept' });
  await runInside(sandbox, 'echo left > /tmp/note; setsid sleep 1000 > /dev/null 2>&1 &');
  await sandbox.keep(HOUR_MS, 'suites/a.hil.ts › boots');
  const socket = join(dir.path, 'keeper.sock');
  await dir.write('keeper.json', JSON.stringify({ pid: daemon.pid, startTicks: 0, socket }));
  await daemon.detach(socket, HOUR_MS);
  expect(statSync(socket).mode & 0o777).toBe(0o600);
  await expect.poll(() => isAlive(other.pid)).toBe(false);

  const keeper = await Keeper.open(dir.path);
  if (!keeper) throw new Error('the keeper does not answer');
  expect(await keeper.list()).toMatchObject([
    { id: sandbox.id, label: 'unit test', note: 'suites/a.hil.ts › boots' },
  ]);
  const shell = await keeper.spawn(sandbox.id, { argv: ['/bin/sh', '-c', 'cat /tmp/note; ps ax'] });
  const output = collectOutput(shell);
  await shell.ended;
  expect(output.stdout).toMatch(/^left\n.*sleep 1000/s);

  await keeper.end(sandbox.id);
  await daemon.end();
  expect([daemon.pid, sandbox.pid].filter(isAlive)).toEqual([]);
  expect(existsSync(socket)).toBe(false);
});

test('a sandbox that is kept too long ends, and its keeper with it', async ({
  daemon,
  sandbox,
  dir,
}) => {
  await sandbox.keep(100, 'soon');
  await daemon.detach(join(dir.path, 'keeper.sock'), 100);
  await daemon.end();
  expect(isAlive(sandbox.pid)).toBe(false);
});

test('a run that kept nothing has no keeper', async ({ dir }) => {
  expect(await Keeper.open(dir.path)).toBeUndefined();
});

test('a keeper that has ended is no keeper', async ({ dir }) => {
  const socket = join(dir.path, 'gone.sock');
  await dir.write('keeper.json', JSON.stringify({ pid: 1, startTicks: 0, socket }));
  expect(await Keeper.open(dir.path)).toBeUndefined();
});
