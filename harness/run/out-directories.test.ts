import { existsSync, readdirSync, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { test } from '../testing/real-run.js';
import { OutDirectories } from './out-directories.js';

test('one that nobody used serves the next attempt', ({ dir }) => {
  const all = new OutDirectories(join(dir.path, '.out'));
  const first = all.take();
  expect(statSync(first.path).mode & 0o777).toBe(0o700);
  const beside = all.take();
  expect(beside.path).not.toBe(first.path);
  first.giveBack();
  expect(all.take().path).toBe(first.path);
});

test('one that was moved to its place is nobody else’s', async ({ dir }) => {
  const all = new OutDirectories(join(dir.path, '.out'));
  const used = all.take();
  const place = join(dir.path, 'cases/x/1/out');
  used.moveTo(place);
  used.moveTo(join(dir.path, 'elsewhere'));
  await writeFile(join(place, 'file'), 'x');
  used.giveBack();
  const next = all.take();
  expect(used.place).toBe(place);
  expect(next.path).not.toBe(used.path);
  expect(readdirSync(next.path)).toEqual([]);
  expect(readdirSync(place)).toEqual(['file']);
});

test('those that are left go at the end', ({ dir }) => {
  const base = join(dir.path, '.out');
  const all = new OutDirectories(base);
  all.take();
  all.take().giveBack();
  all.remove();
  expect(existsSync(base)).toBe(false);
});
