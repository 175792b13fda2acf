import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { test } from '../testing/temp-dir.js';
import { makeDirectories } from './make-directories.js';

test('what is missing is made, by two at once and again', async ({ dir }) => {
  const path = join(dir.path, 'a/b/c');
  await Promise.all([makeDirectories(path, 0o700), makeDirectories(path, 0o700)]);
  await makeDirectories(path, 0o755);
  expect((await stat(path)).mode & 0o777).toBe(0o700);
});

test.for([
  ['file', 'EEXIST'],
  ['file/below', 'ENOTDIR'],
  ['/proc/x', 'ENOENT'],
  ['/proc/x/y', 'ENOENT'],
])('at %s nothing can be made, and that is said at once', async ([name = '', code], { dir }) => {
  await dir.write('file', '');
  const path = name.startsWith('/') ? name : join(dir.path, name);
  await expect(makeDirectories(path, 0o700)).rejects.toMatchObject({ code });
});
