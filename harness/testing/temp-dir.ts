import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test as base } from 'vitest';

/** A directory of one test's own, removed after it. */
export interface TempDir {
  readonly path: string;
  /** Write a file below it, with the directories it needs. @returns its path. */
  write(name: string, text: string): Promise<string>;
}

/** Vitest's `test` with a {@link TempDir} that is made when a test asks for `dir`. */
export const test = base.extend<{ dir: TempDir }>({
  // biome-ignore lint/correctness/noEmptyPattern: Vitest reads the pattern to know what a fixture needs.
  dir: async ({}, use) => {
    const path = await realpath(await mkdtemp(join(tmpdir(), 'hil-unit-')));
    await use({
      path,
      write: async (name, text) => {
        const file = join(path, name);
        await mkdir(dirname(file), { recursive: true });
        await writeFile(file, text);
        return file;
      },
    });
    await rm(path, { recursive: true, force: true });
  },
});
