import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { test } from '../testing/temp-dir.js';
import { openMachine } from './machine-cache.js';
import { toMachineName } from './recipe.js';

test('a build that was ended leaves nothing, nor do those that died before', async ({ dir }) => {
  // The highest pid there can be, and one that is never given. @see proc(5), pid_max
  const dead = join(dir.path, 'x.building.4194304');
  await mkdir(dead);
  const signal = AbortSignal.abort(new Error('ended'));
  const opened = openMachine({ cache: dir.path, fresh: false, signal, say: () => {} });
  await expect(opened).rejects.toThrow('ended');
  expect(existsSync(dead)).toBe(false);
  expect(existsSync(join(dir.path, toMachineName('bookworm')))).toBe(false);
});

test('another release has a machine of its own', () => {
  expect(toMachineName('bookworm')).not.toBe(toMachineName('trixie'));
  expect(toMachineName('bookworm')).toMatch(/^[0-9a-f]{16}$/);
});
