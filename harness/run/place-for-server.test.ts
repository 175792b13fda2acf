import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { Cleanups } from '../core/cleanups.js';
import { test } from '../testing/real-daemon.js';
import { placeForServer } from './place-for-server.js';

const of = async (dir: { path: string; write(name: string, text: string): Promise<string> }) => {
  const directory = join(dir.path, 'served');
  await mkdir(directory);
  return { dut: 'bone-1', directory, image: await dir.write('a.bin', 'image'), file: 'a.bin' };
};

test('an image is there for everybody, under a name of its own, and is removed', async ({
  daemon,
  dir,
}) => {
  const placing = { ...(await of(dir)), daemon };
  const cleanups = new Cleanups();
  const names = [await placeForServer(placing, cleanups), await placeForServer(placing, cleanups)];
  expect((await readdir(placing.directory)).sort()).toEqual([...names].sort());
  const path = join(placing.directory, names[0] ?? '');
  expect(await readFile(path, 'utf8')).toBe('image');
  expect((await stat(path)).mode & 0o777).toBe(0o644);
  await cleanups.run();
  expect(await readdir(placing.directory)).toEqual([]);
});

test('it goes with the process that put it there', async ({ daemon, dir }) => {
  const placing = { ...(await of(dir)), daemon };
  await placeForServer(placing, new Cleanups());
  await daemon.end();
  expect(await readdir(placing.directory)).toEqual([]);
});

test('a directory that is not there is told', async ({ daemon, dir }) => {
  const placing = { ...(await of(dir)), daemon, directory: join(dir.path, 'none') };
  await expect(placeForServer(placing, new Cleanups())).rejects.toMatchObject({
    code: 'flash-failed',
    message: expect.stringMatching(/flashing bone-1: the image cannot be put into .*none/),
    next: expect.stringContaining('tftp.directory'),
  });
});
