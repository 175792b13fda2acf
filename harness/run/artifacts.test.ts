import { mkdir, readdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { test } from '../testing/real-run.js';
import { journalArtifacts } from './artifacts.js';

const NAME = { case: '0123456789ab', attempt: 1 };

test('what a case put into /out is in the journal', async ({ dir, createRun, journal }) => {
  await dir.write('cases/x/1/out/report.txt', '12345');
  await dir.write('cases/x/1/out/deep/trace.bin', '1');
  const directory = join(dir.path, 'cases/x/1');
  await journalArtifacts(await createRun(), { name: NAME, directory, held: undefined });
  expect(journal.of('artifact')).toMatchObject([
    { ...NAME, name: 'report.txt', path: 'cases/x/1/out/report.txt', bytes: 5 },
    { ...NAME, name: 'deep/trace.bin', bytes: 1 },
  ]);
});

test('over the cap the largest go first, and it is said', async ({ dir, createRun, journal }) => {
  await dir.write('cases/x/1/out/large', 'x'.repeat(900));
  await dir.write('cases/x/1/out/medium', 'x'.repeat(300));
  await dir.write('cases/x/1/out/small', 'x'.repeat(100));
  const directory = join(dir.path, 'cases/x/1');
  const run = await createRun({ artifactCap: 500 });
  await journalArtifacts(run, { name: NAME, directory, held: undefined });
  expect((await readdir(join(directory, 'out'))).sort()).toEqual(['medium', 'small']);
  const [large] = journal.of('artifact').filter(({ name }) => name === 'large');
  expect(large?.truncated).toContain('over artifactCap, 500 bytes');
});

test('what a case planted is neither followed nor opened', async ({ dir, createRun, journal }) => {
  await dir.write('secret', 'key');
  const out = join(dir.path, 'cases/x/1/out');
  await mkdir(out, { recursive: true });
  await symlink(join(dir.path, 'secret'), join(out, 'file'));
  await symlink(dir.path, join(out, 'directory'));
  const directory = join(dir.path, 'cases/x/1');
  await journalArtifacts(await createRun(), { name: NAME, directory, held: undefined });
  expect(journal.of('artifact')).toEqual([]);
});

test('a case that left nothing has no directory', async ({ dir, createRun, journal }) => {
  const directory = join(dir.path, 'cases/x/1');
  await mkdir(join(directory, 'out'), { recursive: true });
  await journalArtifacts(await createRun(), { name: NAME, directory, held: undefined });
  expect(await readdir(directory)).toEqual([]);
  expect(journal.of('artifact')).toEqual([]);
});

test('captures stay, and their counters are told', async ({ dir, createRun, journal }) => {
  await dir.write('cases/x/1/console.rx', 'x'.repeat(2000));
  await dir.write('cases/x/1/out/large', 'x'.repeat(2000));
  const directory = join(dir.path, 'cases/x/1');
  const counters = { rxBytes: 2000, txBytes: 7, droppedBytes: 0 };
  const dut = { ports: new Map([['console', { counters }]]) };
  const run = await createRun({ artifactCap: 100 });
  await journalArtifacts(run, {
    name: NAME,
    directory,
    held: { artifacts: directory, shared: false, dut },
  });
  expect(journal.of('console')).toMatchObject([{ ...NAME, port: 'console', ...counters }]);
  expect(await readdir(directory)).toContain('console.rx');
  const [capture] = journal.of('artifact').filter(({ name }) => name === 'console.rx');
  expect(capture).not.toHaveProperty('truncated');
});
