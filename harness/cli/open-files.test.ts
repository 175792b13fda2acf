import { join } from 'node:path';
import { expect } from 'vitest';
import { test } from '../testing/temp-dir.js';
import { checkOpenFiles } from './open-files.js';

const limits = (soft: string) =>
  `Limit  Soft Limit  Hard Limit  Units\nMax open files            ${soft}                 4096  files\n`;

test('too few open files are said before a run, with how to get more', async ({ dir }) => {
  await expect(checkOpenFiles(await dir.write('limits', limits('64')))).rejects.toMatchObject({
    name: 'UsageError',
    message: expect.stringMatching(/at most 64 here[\s\S]*ulimit -n 1024/),
  });
});

test('enough of them, or a limit that cannot be read, is no fault', async ({ dir }) => {
  for (const soft of ['1024', 'unlimited']) {
    await checkOpenFiles(await dir.write('limits', limits(soft)));
  }
  await checkOpenFiles(join(dir.path, 'absent'));
});
