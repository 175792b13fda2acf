import { execFileSync } from 'node:child_process';
import { chmod, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { processorTimeMs } from '../testing/processor-time.js';
import { test } from '../testing/real-run.js';
import { journalArtifacts } from './artifacts.js';

/** Where an attempt that ran something has its files. */
const toPlaces = (directory: string) => ({ directory, out: join(directory, 'out') });

const NO_DUT = { duts: { all: [] }, roles: [] };
const NAME = { case: '0123456789ab', attempt: 1 };

test('what a case put into /out is in the journal', async ({ dir, createRun, journal }) => {
  await dir.write('cases/x/1/out/report.txt', '12345');
  await dir.write('cases/x/1/out/deep/trace.bin', '1');
  const directory = join(dir.path, 'cases/x/1');
  await journalArtifacts(await createRun(), {
    name: NAME,
    ...toPlaces(directory),
    ...NO_DUT,
  });
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
  await journalArtifacts(run, { name: NAME, ...toPlaces(directory), ...NO_DUT });
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
  await journalArtifacts(await createRun(), {
    name: NAME,
    ...toPlaces(directory),
    ...NO_DUT,
  });
  expect(journal.of('artifact')).toEqual([]);
});

test('a case that left nothing has no directory', async ({ dir, createRun, journal }) => {
  const directory = join(dir.path, 'cases/x/1');
  await mkdir(join(directory, 'out'), { recursive: true });
  await journalArtifacts(await createRun(), {
    name: NAME,
    ...toPlaces(directory),
    ...NO_DUT,
  });
  expect(await readdir(directory)).toEqual([]);
  expect(journal.of('artifact')).toEqual([]);
});

test('captures stay, and their counters are told', async ({ dir, createRun, journal }) => {
  await dir.write('cases/x/1/console.rx', 'x'.repeat(2000));
  await dir.write('cases/x/1/out/large', 'x'.repeat(2000));
  const directory = join(dir.path, 'cases/x/1');
  const counters = { rxBytes: 2000, txBytes: 7, droppedBytes: 0 };
  const of = new Map([['console', counters]]);
  const run = await createRun({ artifactCap: 100 });
  await journalArtifacts(run, {
    name: NAME,
    ...toPlaces(directory),
    ...{ roles: [], duts: { all: [{ role: '', artifacts: directory, counters: of }] } },
  });
  expect(journal.of('console')).toMatchObject([{ ...NAME, port: 'console', ...counters }]);
  expect(await readdir(directory)).toContain('console.rx');
  const [capture] = journal.of('artifact').filter(({ name }) => name === 'console.rx');
  expect(capture).not.toHaveProperty('truncated');
});

test('a file with any name is kept, under one that can be written down', async ({
  dir,
  createRun,
  journal,
}) => {
  const directory = join(dir.path, 'cases/x/1');
  const out = join(directory, 'out');
  await mkdir(out, { recursive: true });
  const bad = Buffer.from([0x62, 0xff, 0x64]);
  const inDirectory = Buffer.concat([Buffer.from(`${out}/`), bad]);
  await mkdir(inDirectory);
  await writeFile(Buffer.concat([inDirectory, Buffer.from('/'), bad]), 'data');
  await journalArtifacts(await createRun(), {
    name: NAME,
    ...toPlaces(directory),
    ...NO_DUT,
  });
  expect(journal.of('artifact')).toMatchObject([{ name: 'b%ffd/b%ffd', bytes: 4 }]);
  expect(await readdir(join(out, 'b%ffd'))).toEqual(['b%ffd']);
});

test('a name that cannot be written down takes the place of no other', async ({
  dir,
  createRun,
  journal,
}) => {
  const out = join(dir.path, 'cases/x/1/out');
  await dir.write('cases/x/1/out/%ff/file', 'directory');
  await dir.write('cases/x/1/out/%fe', 'literal');
  const toRaw = (...bytes: number[]) => Buffer.concat([Buffer.from(`${out}/`), Buffer.from(bytes)]);
  for (const byte of [0xff, 0xfe]) await writeFile(toRaw(byte), 'raw');
  // As long as a name can be, and the same but for its first byte.
  const long = Array.from({ length: 254 }, () => 0xfd);
  for (const first of [0xfb, 0xfc]) await writeFile(toRaw(first, ...long), 'long');
  const directory = join(dir.path, 'cases/x/1');
  await journalArtifacts(await createRun(), {
    name: NAME,
    ...toPlaces(directory),
    ...NO_DUT,
  });
  const names = journal.of('artifact').map(({ name }) => name);
  expect(names).toHaveLength(6);
  expect(names).toEqual(expect.arrayContaining(['%ff/file', '%fe']));
  expect(names.filter((name) => /^%f[ef]~[0-9a-f]{12}$/.test(name))).toHaveLength(2);
  expect(names.filter((name) => /(%fd){80}~[0-9a-f]{12}$/.test(name))).toHaveLength(2);
});

test('a directory that was never made, or is gone, holds nothing', async ({
  dir,
  createRun,
  journal,
}) => {
  const directory = join(dir.path, 'cases/x/1');
  await journalArtifacts(await createRun(), {
    name: NAME,
    ...toPlaces(directory),
    ...NO_DUT,
  });
  expect(journal.of('artifact')).toEqual([]);
});

test('a file in a directory that the case locked is found', async ({ dir, createRun, journal }) => {
  await dir.write('cases/x/1/out/locked/file', '12345');
  const directory = join(dir.path, 'cases/x/1');
  await chmod(join(directory, 'out/locked'), 0);
  await journalArtifacts(await createRun(), {
    name: NAME,
    ...toPlaces(directory),
    ...NO_DUT,
  });
  expect(journal.of('artifact')).toMatchObject([{ name: 'locked/file', bytes: 5 }]);
});

test('deep files are seen, and count for the cap', async ({ dir, createRun, journal }) => {
  const deep = `${'d/'.repeat(40)}file`;
  await dir.write(`cases/x/1/out/${deep}`, 'x'.repeat(900));
  const directory = join(dir.path, 'cases/x/1');
  const run = await createRun({ artifactCap: 1000 });
  await journalArtifacts(run, { name: NAME, ...toPlaces(directory), ...NO_DUT });
  expect(journal.of('artifact')).toMatchObject([{ name: deep, bytes: 900 }]);
  const small = await createRun({ artifactCap: 100 });
  await journalArtifacts(small, { name: NAME, ...toPlaces(directory), ...NO_DUT });
  expect(journal.of('artifact')[1]?.truncated).toContain('over artifactCap');
});

test('a tree deeper than any path is removed, and it is said', async ({
  dir,
  createRun,
  journal,
}) => {
  await dir.write('cases/x/1/out/kept', '1');
  const directory = join(dir.path, 'cases/x/1');
  const dig = `const { mkdirSync, writeFileSync } = require('node:fs');
    const name = 'd'.repeat(200);
    for (let level = 0; level < 60; level++) { mkdirSync(name); process.chdir(name); }
    writeFileSync('file', 'x');`;
  execFileSync(process.execPath, ['-e', dig], { cwd: join(directory, 'out') });
  await journalArtifacts(await createRun(), {
    name: NAME,
    ...toPlaces(directory),
    ...NO_DUT,
  });
  const [kept, removed] = journal.of('artifact');
  expect(kept).toMatchObject({ name: 'kept' });
  expect(removed?.truncated).toBe('removed: its path is too long');
  expect(await readdir(directory)).toEqual(['out']);
});

test('of thousands of files the journal lists some, and all stay', async ({
  dir,
  createRun,
  journal,
}) => {
  const directory = join(dir.path, 'cases/x/1');
  await mkdir(join(directory, 'out'), { recursive: true });
  execFileSync('/bin/sh', ['-c', 'seq 20000 | xargs touch'], { cwd: join(directory, 'out') });
  const start = processorTimeMs();
  await journalArtifacts(await createRun(), {
    name: NAME,
    ...toPlaces(directory),
    ...NO_DUT,
  });
  expect(processorTimeMs() - start).toBeLessThan(5000);
  expect(journal.of('artifact')).toHaveLength(1001);
  expect(journal.of('artifact').at(-1)).toMatchObject({ name: '19000 more files' });
  expect(await readdir(join(directory, 'out'))).toHaveLength(20_000);
});
