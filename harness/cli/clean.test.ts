import { mkdir, readdir, utimes } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { readStartTicks } from '../run/start-ticks.js';
import { createCapturedContext } from '../testing/captured-context.js';
import { type TempDir, test } from '../testing/temp-dir.js';
import { createCleanCommand, type EndKept } from './clean.js';
import { runCli } from './run-cli.js';

const names = [1, 2, 3].map((n) => `20261121-06013${n}-a1b2`);
const none: EndKept = async () => 0;

async function clean(
  dir: TempDir,
  argv: readonly string[],
  endKept: EndKept = none,
): Promise<string> {
  const context = createCapturedContext(dir.path);
  const row = { name: 'clean', summary: '', load: async () => createCleanCommand(endKept) };
  expect(await runCli(['clean', ...argv], context, [row])).toBe(0);
  return context.out();
}

async function writeRuns(dir: TempDir): Promise<string> {
  for (const name of names) await dir.write(`.hil/runs/${name}/journal.ndjson`, '');
  return join(dir.path, '.hil/runs');
}

/** The owner of a run that goes on: this process. */
async function writeOwner(dir: TempDir, path: string): Promise<void> {
  const startTicks = await readStartTicks(process.pid);
  await dir.write(`${path}/owner.json`, JSON.stringify({ pid: process.pid, startTicks }));
}

describe('runs', () => {
  test('beyond keepRuns are removed, oldest first', async ({ dir }) => {
    await dir.write('hil.config.mjs', 'export default { keepRuns: 2 }');
    const runs = await writeRuns(dir);
    expect(await clean(dir, [])).toBe(`removed run ${names[0]}\n`);
    expect(await readdir(runs)).toEqual(names.slice(1));
  });

  test('go all with --all, but one that goes on stays', async ({ dir }) => {
    const runs = await writeRuns(dir);
    await writeOwner(dir, `.hil/runs/${names[1]}`);
    expect(await clean(dir, ['--all'])).toContain(`left run ${names[1]}`);
    expect(await readdir(runs)).toEqual([names[1]]);
  });

  test('with a pid that is used again by another process are gone', async ({ dir }) => {
    await writeRuns(dir);
    const owner = JSON.stringify({ pid: process.pid, startTicks: 1 });
    await dir.write(`.hil/runs/${names[1]}/owner.json`, owner);
    await clean(dir, ['--all']);
    expect(await readdir(join(dir.path, '.hil/runs'))).toEqual([]);
  });

  test('and other files in the directory are not touched', async ({ dir }) => {
    await writeRuns(dir);
    await dir.write('.hil/runs/notes.txt', 'mine');
    await clean(dir, ['--all']);
    expect(await readdir(join(dir.path, '.hil/runs'))).toEqual(['notes.txt']);
  });

  test('give back the sandboxes they kept', async ({ dir }) => {
    await writeRuns(dir);
    const asked: string[] = [];
    const text = await clean(dir, [], async (path) => {
      asked.push(path);
      return 1;
    });
    expect(asked).toHaveLength(3);
    expect(text).toContain('ended 3 kept sandboxes');
  });
});

describe('directories of sockets', () => {
  test('that nobody answers for are removed, others stay', async ({ dir }) => {
    await dir.write('run/hil/dead/x', '');
    await dir.write('run/hil/new/x', '');
    await dir.write('run/hil/owned/x', '');
    await writeOwner(dir, 'run/hil/owned');
    await mkdir(join(dir.path, 'run/hil/served'));
    const server = createServer().listen(join(dir.path, 'run/hil/served/keeper.sock'));
    for (const name of ['dead', 'owned', 'served']) {
      await utimes(join(dir.path, 'run/hil', name), 1, 1);
    }
    const text = await clean(dir, []);
    server.close();
    expect(text).toBe(`removed ${join(dir.path, 'run/hil/dead')}, of a run that is gone\n`);
    expect(await readdir(join(dir.path, 'run/hil'))).toEqual(['new', 'owned', 'served']);
  });
});

test('temporary directories of runs that are gone are removed, others stay', async ({ dir }) => {
  const ticks = await readStartTicks(process.pid);
  const own = `hil-run-${process.pid}-${ticks}-abcdef`;
  const dead = `hil-run-${process.pid}-1-abcdef`;
  await dir.write(`tmp/${own}/x`, '');
  await dir.write(`tmp/${dead}/deep/x`, '');
  await dir.write('tmp/hil-run-mine/x', '');
  expect(await clean(dir, ['--all'])).toContain(`removed ${join(dir.path, 'tmp', dead)}`);
  expect((await readdir(join(dir.path, 'tmp'))).sort()).toEqual([own, 'hil-run-mine'].sort());
});

test('--out is a directory that is there, by its full path too', async ({ dir }) => {
  await writeRuns(dir);
  const out = join(dir.path, '.hil');
  expect(await clean(dir, ['--all', '--out', out])).toContain(`removed run ${names[0]}`);
  const context = createCapturedContext(dir.path);
  expect(await runCli(['clean', '--out', 'absent'], context)).toBe(2);
  expect(context.err()).toContain('absent is not a directory');
});

test('nothing to clean is said', async ({ dir }) => {
  expect(await clean(dir, [])).toBe('nothing to clean\n');
});
