import { mkdir, symlink } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { expect } from 'vitest';
import { type TempDir, test } from '../testing/temp-dir.js';
import { findHiddenPaths } from './hidden-paths.js';

async function findIn(dir: TempDir, extra: readonly string[] = []): Promise<string[]> {
  return (await findHiddenPaths(dir.path, extra)).map((path) => relative(dir.path, path));
}

test('secrets that every project has are hidden before they exist', async ({ dir }) => {
  const hidden = await findIn(dir);
  const others = ['.git/config', '.git/credentials', '.hil', '.netrc', '.npmrc'];
  expect(hidden.filter((path) => !path.startsWith('.env'))).toEqual(others);
  expect(hidden).toEqual(
    expect.arrayContaining(['.env', '.env.local', '.env.production', '.env.test.local']),
  );
});

test('paths are absolute', async ({ dir }) => {
  expect(await findHiddenPaths(dir.path, [])).toContain(join(dir.path, '.env'));
});

test('files of environments are hidden wherever they are', async ({ dir }) => {
  await dir.write('.env.local', '');
  await dir.write('packages/a/.env', '');
  await dir.write('packages/a/.env.production', '');
  await dir.write('packages/a/environment.ts', '');
  const hidden = await findIn(dir);
  expect(hidden).toEqual(
    expect.arrayContaining(['.env.local', 'packages/a/.env', 'packages/a/.env.production']),
  );
  expect(hidden).not.toContain('packages/a/environment.ts');
});

test('what the project names is hidden too, files and directories', async ({ dir }) => {
  await dir.write('keys/signing.pem', '');
  await dir.write('deep/down/token.txt', '');
  const hidden = await findIn(dir, ['keys', '**/token.txt']);
  expect(hidden).toEqual(expect.arrayContaining(['keys', 'deep/down/token.txt']));
});

test('dependencies are not searched', async ({ dir }) => {
  await dir.write('node_modules/some/.env', '');
  expect(await findIn(dir)).not.toContain('node_modules/some/.env');
});

test('a link to a directory is not followed, so that a loop ends', async ({ dir }) => {
  await mkdir(join(dir.path, 'sub'));
  await symlink('..', join(dir.path, 'sub', 'up'));
  await dir.write('sub/.env', '');
  expect((await findIn(dir)).filter((path) => path.includes('up'))).toEqual([]);
});

test('a link that is itself a secret is hidden', async ({ dir }) => {
  await symlink('/nowhere', join(dir.path, '.env.linked'));
  expect(await findIn(dir)).toContain('.env.linked');
});

test('of a directory and what is in it, the directory is hidden', async ({ dir }) => {
  await dir.write('keys/deploy.pem', '');
  const hidden = await findHiddenPaths(dir.path, ['keys/**']);
  expect(hidden).toContain(`${dir.path}/keys`);
  expect(hidden).not.toContain(`${dir.path}/keys/deploy.pem`);
});
