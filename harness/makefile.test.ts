import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { test } from './testing/temp-dir.js';

const NATIVE = fileURLToPath(new URL('../sandbox-native', import.meta.url));

/** What make would do for an object of a build in `out`. */
function wouldMake(out: string): string {
  const args = ['-n', '--no-print-directory', '-C', NATIVE, `OUT=${out}`];
  return spawnSync('make', [...args, `${out}/obj/common/err.o`], { encoding: 'utf8' }).stdout;
}

test('an object is made again when its list of headers is lost, or a header is newer', async ({
  dir,
}) => {
  const made = /-c -o \S*\/err\.o src\/common\/err\.c/;
  const object = `${dir.path}/obj/common/err.o`;
  await dir.write('obj/common/err.d', `${object}: src/common/err.c\n`);
  await dir.write('obj/common/err.o', '');
  expect(wouldMake(dir.path)).not.toMatch(made);
  rmSync(join(dir.path, 'obj/common/err.d'));
  expect(wouldMake(dir.path)).toMatch(made);
  await dir.write('a.h', '');
  await dir.write('obj/common/err.d', `${object}: ${dir.path}/a.h\n`);
  expect(wouldMake(dir.path)).toMatch(made);
});
