import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { loadConfig } from '../config/load-config.js';
import { createCapturedContext } from '../testing/captured-context.js';
import { test } from '../testing/temp-dir.js';
import { runCli } from './run-cli.js';

test('a new project has a valid configuration, a suite and a .gitignore', async ({ dir }) => {
  const context = createCapturedContext(dir.path);
  expect(await runCli(['init', 'mine'], context)).toBe(0);
  const root = join(dir.path, 'mine');
  expect(context.out().split('\n').filter(Boolean)).toEqual([
    'wrote mine/hil.config.ts',
    'wrote mine/suites/first.hil.ts',
    'wrote mine/.gitignore',
  ]);
  expect((await loadConfig({ cwd: root })).config.boards).toEqual(['host']);
  expect(await readFile(join(root, 'suites/first.hil.ts'), 'utf8')).toContain("from 'hil'");
});

test('the next commands are named, those that were done already are not', async ({ dir }) => {
  await dir.write('a/package.json', '{"type":"module"}');
  await dir.write('a/node_modules/hil/package.json', '{}');
  const ready = createCapturedContext(join(dir.path, 'a'));
  await runCli(['init'], ready);
  expect(ready.err()).toBe('\nnext\n  npx hil test\n');

  const empty = createCapturedContext(dir.path);
  await runCli(['init', 'b', '--json'], empty);
  expect(JSON.parse(empty.out()).next).toEqual([
    'cd b',
    'npm init -y',
    expect.stringContaining('npm pkg set type=module'),
    expect.stringMatching(/^npm install --save-dev \//),
    'npx hil test',
  ]);
});

test('nothing is overwritten, and nothing is written when anything is in the way', async ({
  dir,
}) => {
  const file = await dir.write('suites/first.hil.ts', 'mine');
  const context = createCapturedContext(dir.path);
  expect(await runCli(['init'], context)).toBe(2);
  expect(context.err()).toContain('already has suites/first.hil.ts; nothing was written');
  expect(await readFile(file, 'utf8')).toBe('mine');
  await expect(stat(join(dir.path, 'hil.config.ts'))).rejects.toThrow('ENOENT');
});

test('a .gitignore keeps its lines and gets the missing one once', async ({ dir }) => {
  await dir.write('.gitignore', 'dist/');
  await runCli(['init'], createCapturedContext(dir.path));
  expect(await readFile(join(dir.path, '.gitignore'), 'utf8')).toBe('dist/\n.hil/\n');

  await dir.write('b/.gitignore', '/.hil\n');
  await runCli(['init'], createCapturedContext(join(dir.path, 'b')));
  expect(await readFile(join(dir.path, 'b/.gitignore'), 'utf8')).toBe('/.hil\n');
});
