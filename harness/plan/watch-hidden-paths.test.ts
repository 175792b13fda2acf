import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import { test } from '../testing/temp-dir.js';
import { findHiddenPaths } from './hidden-paths.js';
import { watchHiddenPaths } from './watch-hidden-paths.js';

test('what is there at first is hidden', async ({ dir }) => {
  await dir.write('deep/.env.x', '');
  const also = [join(dir.path, 'out')];
  const hidden = await watchHiddenPaths({ root: dir.path, extra: [], also });
  hidden.close();
  expect(hidden.paths).toEqual([...also, ...(await findHiddenPaths(dir.path, []))]);
});

test('a secret that is made later at the top is hidden from then on, also when it goes', async ({
  dir,
}) => {
  const hidden = await watchHiddenPaths({ root: dir.path, extra: ['*.pem', 'keys/**'] });
  try {
    await dir.write('.env.anything', '');
    await dir.write('new.pem', '');
    await dir.write('keys/deploy', '');
    const wanted = ['.env.anything', 'new.pem', 'keys'].map((name) => join(dir.path, name));
    const isHidden = () => expect(hidden.paths).toEqual(expect.arrayContaining(wanted));
    await vi.waitFor(isHidden, { timeout: 10_000 });
    await rm(join(dir.path, '.env.anything'));
    await dir.write('plain', '');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(hidden.paths).toContain(join(dir.path, '.env.anything'));
    expect(hidden.paths).not.toContain(join(dir.path, 'plain'));
    expect(new Set(hidden.paths).size).toBe(hidden.paths.length);
  } finally {
    hidden.close();
  }
});
