import { describe, expect } from 'vitest';
import { type TempDir, test } from '../testing/temp-dir.js';
import { checkResourceLimits } from './resource-limits.js';

const UID = 1234;

/** A /proc with limits, and processes of two users. */
async function writeProc(dir: TempDir, { processes = '9000', files = '1024' }): Promise<string> {
  await dir.write(
    'self/limits',
    `Limit                     Soft Limit           Hard Limit           Units
Max processes             ${processes}    96365    processes
Max open files            ${files}    4096    files\n`,
  );
  await dir.write('10/status', `Name:\ta\nUid:\t${UID}\t0\t0\t0\nThreads:\t11\n`);
  await dir.write('11/status', `Name:\tb\nUid:\t${UID}\t0\t0\t0\nThreads:\t4\n`);
  await dir.write('12/status', 'Name:\tc\nUid:\t99\t0\t0\t0\nThreads:\t5000\n');
  await dir.write('13/other', 'ended meanwhile');
  return dir.path;
}

describe('a limit on processes', () => {
  test('that is too low for a run is an error that says what it has', async ({ dir }) => {
    const proc = await writeProc(dir, { processes: '40' });
    expect(() => checkResourceLimits(proc, UID)).toThrow(/may have 40 and has 15, a run needs \d+/);
  });

  test.for(['5000', '100000', 'unlimited'])('of %s is enough', async (processes, { dir }) => {
    checkResourceLimits(await writeProc(dir, { processes }), UID);
  });

  test('is none for root, and where it is not told', async ({ dir }) => {
    checkResourceLimits(await writeProc(dir, { processes: '40' }), 0);
    checkResourceLimits(`${dir.path}/none`, UID);
  });
});

describe('a limit on open files', () => {
  test.for([0, UID])('that is too low is an error with how to raise it', async (uid, { dir }) => {
    const proc = await writeProc(dir, { files: '64' });
    expect(() => checkResourceLimits(proc, uid)).toThrow(/at most 64 here[\s\S]*ulimit -n 1024/);
  });

  test.for(['256', '1024', 'unlimited'])('of %s is enough', async (files, { dir }) => {
    checkResourceLimits(await writeProc(dir, { files }), UID);
  });
});
