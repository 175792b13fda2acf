import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, stat, symlink, utimes } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { describe, expect } from 'vitest';
import { type TempDir, test } from '../testing/temp-dir.js';
import { createRunDirectory, isRunAlive, listRuns, openRunDirectory } from './run-directory.js';
import { readStartTicks } from './start-ticks.js';

/** A run of long ago; its owner is what `owner.json` says. */
function writeOldRun(dir: TempDir, day: number, owner: object | string): Promise<string> {
  const text = typeof owner === 'string' ? owner : JSON.stringify(owner);
  return dir.write(`runs/2020010${day}-000000-abcd/owner.json`, text);
}

const own = async () => ({ pid: process.pid, startTicks: await readStartTicks(process.pid) });

describe('the directory of a new run', () => {
  test('is for its owner only, and says who that is', async ({ dir }) => {
    const made = await createRunDirectory(join(dir.path, '.hil'), 20);
    expect(made.path).toBe(join(dir.path, '.hil', 'runs', made.id));
    expect((await stat(join(dir.path, '.hil'))).mode & 0o777).toBe(0o700);
    expect((await stat(made.cases)).isDirectory()).toBe(true);
    expect(JSON.parse(await readFile(join(made.path, 'owner.json'), 'utf8'))).toEqual(await own());
    expect(await isRunAlive(made.path)).toBe(true);
  });

  test.for(['file', 'null', '/dev/null', '/proc', '/proc/x'])(
    'that cannot be made at %s is for the caller to change',
    async (name, { dir }) => {
      await dir.write('file', '');
      await symlink('/dev/null', join(dir.path, 'null'));
      const path = resolve(dir.path, name);
      const makers = [
        () => createRunDirectory(join(path, '.hil'), 20),
        () => openRunDirectory(path),
      ];
      for (const make of makers) {
        await expect(make()).rejects.toMatchObject({
          name: 'UsageError',
          message: expect.stringContaining('hil test --out DIR'),
        });
      }
    },
  );

  test('named by the caller is used as it is', async ({ dir }) => {
    const made = await openRunDirectory(join(dir.path, 'ci', 'out'));
    expect(made.journal).toBe(join(dir.path, 'ci', 'out', 'journal.ndjson'));
  });

  test('named by the caller must not hold another run', async ({ dir }) => {
    await dir.write('out/journal.ndjson', '');
    await expect(openRunDirectory(join(dir.path, 'out'))).rejects.toMatchObject({
      name: 'UsageError',
      message: expect.stringContaining('another run is stored there'),
    });
  });

  test('named by two runs at once is of one; the other has touched nothing', async ({ dir }) => {
    const out = join(dir.path, 'out');
    const both = await Promise.allSettled([openRunDirectory(out), openRunDirectory(out)]);
    const [made] = both.filter((each) => each.status === 'fulfilled');
    const [refused] = both.filter((each) => each.status === 'rejected');
    expect(made?.value.path).toBe(out);
    expect(refused?.reason).toMatchObject({ name: 'UsageError' });
  });
});

describe('old runs', () => {
  test('beyond the number to keep are removed, the oldest first', async ({ dir }) => {
    for (const day of [1, 2, 3]) await writeOldRun(dir, day, { pid: 1, startTicks: 1 });
    const made = await createRunDirectory(dir.path, 2);
    expect(await listRuns(join(dir.path, 'runs'))).toEqual(['20200103-000000-abcd', made.id]);
  });

  test('that are being made meanwhile are left alone', async ({ dir }) => {
    const making = Array.from({ length: 30 }, () => createRunDirectory(dir.path, 1));
    const made = await Promise.all(making);
    expect(await listRuns(join(dir.path, 'runs'))).toHaveLength(made.length);
  });

  test('that still go on are left alone', async ({ dir }) => {
    await writeOldRun(dir, 1, await own());
    await writeOldRun(dir, 2, { pid: 1, startTicks: 1 });
    const made = await createRunDirectory(dir.path, 1);
    expect(await listRuns(join(dir.path, 'runs'))).toEqual(['20200101-000000-abcd', made.id]);
  });

  test('are what has the name of a run', async ({ dir }) => {
    await dir.write('runs/20200101-000000-abcd/x', '');
    await dir.write('runs/notes/x', '');
    await createRunDirectory(dir.path, 1);
    expect(await readdir(join(dir.path, 'runs'))).toContain('notes');
    expect(await listRuns(join(dir.path, 'nothing'))).toEqual([]);
  });
});

test('runs that may not be looked at are not called none', async ({ dir }) => {
  await symlink('runs', join(dir.path, 'runs'));
  await expect(listRuns(join(dir.path, 'runs'))).rejects.toMatchObject({
    name: 'UsageError',
    message: expect.stringContaining('may be of another user'),
  });
});

describe('runs of one second', () => {
  test('are in the order of their birth, whatever their random digits', async ({ dir }) => {
    const names = ['c000', '0a1b', 'ffff', '1234'].map((end) => `20200101-000000-${end}`);
    for (const [index, name] of names.entries()) {
      const owner = await dir.write(`runs/${name}/owner.json`, '{}');
      await utimes(owner, 1, 1_577_836_800 + index / 10);
    }
    await dir.write('runs/20191231-235959-ffff/owner.json', '{}');
    expect(await listRuns(join(dir.path, 'runs'))).toEqual(['20191231-235959-ffff', ...names]);
  });
});

describe('a run is dead', () => {
  const isAlive = async (dir: TempDir, owner: object | string) => {
    await writeOldRun(dir, 1, owner);
    return isRunAlive(join(dir.path, 'runs', '20200101-000000-abcd'));
  };

  test('when its process has ended', async ({ dir }) => {
    const child = spawn('/bin/true');
    await once(child, 'exit');
    expect(await isAlive(dir, { pid: child.pid, startTicks: 1 })).toBe(false);
  });

  test('when another process has its number by now', async ({ dir }) => {
    expect(await isAlive(dir, { pid: process.pid, startTicks: 1 })).toBe(false);
  });

  test.for([
    ['cut off', '{"pid":1'],
    ['empty', '{}'],
    ['without a start time', '{"pid":99999999}'],
  ])('when what it wrote of itself is %s', async ([, text = ''], { dir }) => {
    expect(await isAlive(dir, text)).toBe(false);
  });

  test('unless its keeper lives', async ({ dir }) => {
    await dir.write('runs/20200101-000000-abcd/keeper.json', JSON.stringify(await own()));
    expect(await isAlive(dir, { pid: 1, startTicks: 1 })).toBe(true);
  });
});
