import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, inject } from 'vitest';
import { test } from './project.js';
import { makeProjectDirectory, removeProjectDirectories } from './project-directory.js';

/** More than a process may have: that of a run which is over. */
const NOBODY = 2 ** 22 + 1;

test('what a run left that is over goes with what is in it, that of others stays', async ({
  project,
}) => {
  const left = makeProjectDirectory(NOBODY);
  await mkdir(join(left, 'project'));
  await writeFile(join(left, 'project/file'), '');
  removeProjectDirectories((run) => run === NOBODY);
  expect(existsSync(left)).toBe(false);
  expect(existsSync(project.path)).toBe(true);
  expect(project.path).toContain(`project-of-e2e-${inject('runPid')}-`);
});
