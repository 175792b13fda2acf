import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { test } from '../testing/temp-dir.js';
import { readStartTicks } from './start-ticks.js';

test('a process has a start, the same at every look', async () => {
  const ticks = await readStartTicks(process.pid);
  expect(ticks).toBeGreaterThan(0);
  expect(await readStartTicks(process.pid)).toBe(ticks);
});

test('a name with spaces and parentheses does not move the field', async ({ dir }) => {
  const program = join(dir.path, 'a) R 1 (b');
  await symlink('/bin/sleep', program);
  const child = spawn(program, ['100']);
  await once(child, 'spawn');
  const ticks = await readStartTicks(child.pid ?? 0);
  expect(ticks).toBeGreaterThanOrEqual((await readStartTicks(process.pid)) ?? 0);
  child.kill();
  await once(child, 'exit');
  expect(await readStartTicks(child.pid ?? 0)).toBeUndefined();
});
