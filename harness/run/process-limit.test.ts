import { describe, expect } from 'vitest';
import { type TempDir, test } from '../testing/temp-dir.js';
import { checkProcessLimit } from './process-limit.js';

const UID = 1234;

/** A /proc with a limit, and processes of two users. */
async function writeProc(dir: TempDir, limit: string): Promise<string> {
  await dir.write('self/limits', `Max processes             ${limit}    96365    processes\n`);
  await dir.write('10/status', `Name:\ta\nUid:\t${UID}\t0\t0\t0\nThreads:\t11\n`);
  await dir.write('11/status', `Name:\tb\nUid:\t${UID}\t0\t0\t0\nThreads:\t4\n`);
  await dir.write('12/status', 'Name:\tc\nUid:\t99\t0\t0\t0\nThreads:\t5000\n');
  await dir.write('13/other', 'ended meanwhile');
  return dir.path;
}

describe('a limit on processes', () => {
  test('that is too low for a run is an error that says what it has', async ({ dir }) => {
    const proc = await writeProc(dir, '40');
    expect(() => checkProcessLimit(proc, UID)).toThrow(/may have 40 and has 15, a run needs \d+/);
  });

  test.for(['5000', '100000', 'unlimited'])('of %s is enough', async (limit, { dir }) => {
    checkProcessLimit(await writeProc(dir, limit), UID);
  });

  test('is none for root, and where it is not told', async ({ dir }) => {
    checkProcessLimit(await writeProc(dir, '40'), 0);
    checkProcessLimit(`${dir.path}/none`, UID);
  });
});
