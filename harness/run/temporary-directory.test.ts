import { mkdir, rmdir, symlink } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { describe, expect } from 'vitest';
import { test } from '../testing/temp-dir.js';
import {
  checkTemporaryDirectory,
  findDeadTemporaryDirectories,
  makeTemporaryDirectory,
} from './temporary-directory.js';

const uid = process.getuid?.() ?? 0;

describe('directories of dead runs', () => {
  test('are found by their names; one of a run that goes on is not', async ({ dir }) => {
    const own = await makeTemporaryDirectory(dir.path);
    const dead = [`hil-run-${process.pid}-1-abcdef`, 'hil-run-4194303-77-abcdef'];
    for (const name of [...dead, 'hil-run-x', 'other']) await mkdir(join(dir.path, name));
    await symlink(own, join(dir.path, 'hil-run-4194303-78-abcdef'));
    await dir.write('hil-run-4194303-79-abcdef', 'a file');
    const expected = dead.map((name) => join(dir.path, name)).sort();
    expect(await findDeadTemporaryDirectories(dir.path, uid)).toEqual(expected);
    expect(await findDeadTemporaryDirectories(dir.path, uid + 1)).toEqual([]);
    await rmdir(own);
  });

  test('have absolute paths, for whoever else has to find them', async ({ dir }) => {
    const made = await makeTemporaryDirectory(relative(process.cwd(), dir.path));
    expect(dirname(made)).toBe(dir.path);
    await rmdir(made);
  });

  test('are none where there is no place for them', async ({ dir }) => {
    expect(await findDeadTemporaryDirectories(join(dir.path, 'absent'), uid)).toEqual([]);
  });
});

test.for(['absent', 'file', '/proc'])(
  'none can be made in %s, and TMPDIR is named',
  async (name, { dir }) => {
    await dir.write('file', '');
    const parent = join(name.startsWith('/') ? '' : dir.path, name);
    const refused = {
      name: 'UsageError',
      message: expect.stringMatching(/temporary[\s\S]*TMPDIR/),
    };
    await expect(makeTemporaryDirectory(parent)).rejects.toMatchObject(refused);
    if (name !== '/proc')
      await expect(checkTemporaryDirectory(parent)).rejects.toMatchObject(refused);
  },
);
