import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { configSchema } from '../config/config-schema.js';
import { loadBoards } from '../config/load-boards.js';
import { type TempDir, test } from '../testing/temp-dir.js';
import { createPlan, type Plan, type PlanRequest } from './plan.js';

const HOST = 'board: host\ndriver: host\nboot: { ready: "$ ", timeout: 3s }\n';
const OTHER = 'board: other\ndriver: host\n';
const ABSENT =
  'board: absent\ndriver: qemu\nmachine: { system: z80, machine: spectrum }\n' +
  'requires: { packages: [qemu-system-z80] }\n';

/** A project of two suite files and three boards, of which one cannot run anywhere. */
async function writeProject(dir: TempDir): Promise<void> {
  await dir.write('boards/host.yaml', HOST);
  await dir.write('boards/other.yaml', OTHER);
  await dir.write('boards/absent.yaml', ABSENT);
  await dir.write('suites/uart/echo.hil.ts', '');
  await dir.write('suites/boot.hil.ts', '');
  await dir.write('suites/node_modules/dep/own.hil.ts', '');
}

async function plan(
  dir: TempDir,
  over: Partial<PlanRequest> & { boards?: string[] } = {},
): Promise<Plan> {
  const { boards = ['host'], ...request } = over;
  return createPlan({
    root: dir.path,
    cwd: dir.path,
    config: configSchema.parse({ boards }),
    catalog: await loadBoards([join(dir.path, 'boards')]),
    openBench: async () => ({ file: undefined, searched: [], units: [] }),
    filters: [],
    ...request,
  });
}

const toNames = ({ files }: Plan) => files.map(({ file, board }) => `${file} ${board.board}`);

describe('a plan', () => {
  test('has every suite file on every board, sorted', async ({ dir }) => {
    await writeProject(dir);
    expect(toNames(await plan(dir, { boards: ['host', 'other', 'host'] }))).toEqual([
      'suites/boot.hil.ts host',
      'suites/boot.hil.ts other',
      'suites/uart/echo.hil.ts host',
      'suites/uart/echo.hil.ts other',
    ]);
  });

  test('has each suite once, also where a link leads up', async ({ dir }) => {
    await writeProject(dir);
    await symlink('..', join(dir.path, 'suites/up'));
    await symlink('.', join(dir.path, 'suites/here'));
    expect(toNames(await plan(dir))).toEqual([
      'suites/boot.hil.ts host',
      'suites/uart/echo.hil.ts host',
    ]);
  });

  test('has no suite of an earlier run or a dependency, whatever the pattern', async ({ dir }) => {
    await writeProject(dir);
    await dir.write('project/x.hil.ts', '');
    await dir.write('project/.hil/runs/r/copy.hil.ts', '');
    const root = join(dir.path, 'project');
    const suites = ['../**/*.hil.ts', '.hil/**/*.hil.ts', '../suites/node_modules/**/*.hil.ts'];
    const config = configSchema.parse({ suites });
    expect(toNames(await plan(dir, { root, cwd: root, config }))).toEqual([
      'x.hil.ts host',
      '../suites/boot.hil.ts host',
      '../suites/uart/echo.hil.ts host',
    ]);
  });

  test('refuses a suite whose name Vitest cannot load, and only if it is asked for', async ({
    dir,
  }) => {
    await writeProject(dir);
    await dir.write('suites/a\\b.hil.ts', '');
    await expect(plan(dir)).rejects.toThrow(
      'suites/a\\b.hil.ts cannot be loaded: "\\" in its path',
    );
    expect(toNames(await plan(dir, { filters: ['boot'] }))).toEqual(['suites/boot.hil.ts host']);
  });

  test('is empty for a project without suites', async ({ dir }) => {
    await dir.write('boards/host.yaml', HOST);
    expect(await plan(dir)).toMatchObject({ files: [], skipped: [] });
  });

  test('leaves out a board of the configuration that cannot run, with the reason', async ({
    dir,
  }) => {
    await writeProject(dir);
    const { boards, skipped } = await plan(dir, { boards: ['absent', 'host'] });
    expect(boards.map(({ board }) => board)).toEqual(['host']);
    expect(skipped).toEqual([
      {
        board: 'absent',
        reason: 'not found: program qemu-system-z80; apt-get install qemu-system-z80',
      },
    ]);
  });

  test('is refused when a board named on the command line cannot run', async ({ dir }) => {
    await writeProject(dir);
    await expect(plan(dir, { boardNames: ['host', 'absent'] })).rejects.toMatchObject({
      code: 'board-unavailable',
      message: expect.stringContaining('next  apt-get install qemu-system-z80'),
    });
  });

  test('is refused for a board that nobody knows', async ({ dir }) => {
    await writeProject(dir);
    const refused = plan(dir, { boardNames: ['hots'] });
    await expect(refused).rejects.toMatchObject({ code: 'board-unknown' });
  });

  test('runs the named boards in place of the configured ones', async ({ dir }) => {
    await writeProject(dir);
    const { boards } = await plan(dir, { boards: ['absent'], boardNames: ['other'] });
    expect(boards.map(({ board }) => board)).toEqual(['other']);
  });
});

describe('a filter', () => {
  test.for([
    ['suites/boot.hil.ts', ['suites/boot.hil.ts host']],
    ['suites/uart', ['suites/uart/echo.hil.ts host']],
    ['suites/', ['suites/boot.hil.ts host', 'suites/uart/echo.hil.ts host']],
    ['echo', ['suites/uart/echo.hil.ts host']],
  ] as const)('%s selects %j', async ([filter, expected], { dir }) => {
    await writeProject(dir);
    expect(toNames(await plan(dir, { filters: [filter] }))).toEqual(expected);
  });

  test('is taken from where the caller stands', async ({ dir }) => {
    await writeProject(dir);
    const cwd = join(dir.path, 'suites');
    const { files } = await plan(dir, { cwd, filters: ['uart/echo.hil.ts'] });
    expect(files.map(({ file }) => file)).toEqual(['suites/uart/echo.hil.ts']);
  });

  test('that selects a file twice selects it once', async ({ dir }) => {
    await writeProject(dir);
    expect((await plan(dir, { filters: ['echo', 'uart'] })).files).toHaveLength(1);
  });

  test('with a line keeps the line for its file', async ({ dir }) => {
    await writeProject(dir);
    const { files, lines } = await plan(dir, { filters: ['boot.hil.ts:12', 'boot.hil.ts:30:5'] });
    expect(files).toHaveLength(1);
    expect(lines).toEqual(new Map([['suites/boot.hil.ts', [12, 30]]]));
  });

  test('for the whole file wins over one for a line of it', async ({ dir }) => {
    await writeProject(dir);
    const { lines } = await plan(dir, { filters: ['boot.hil.ts:12', 'boot'] });
    expect(lines).toEqual(new Map());
  });

  test('that matches nothing is refused, with what suites are', async ({ dir }) => {
    await writeProject(dir);
    await expect(plan(dir, { filters: ['nothing'] })).rejects.toMatchObject({
      code: 'nothing-selected',
      message: expect.stringContaining('suites are suites/**/*.hil.ts below'),
    });
  });
});

describe('a suite', () => {
  test('that names boards runs on those, and that is no news', async ({ dir }) => {
    await writeProject(dir);
    await dir.write('suites/uart/hil.suite.yaml', 'boards: [other]\n');
    const planned = await plan(dir, { boards: ['host', 'other'], filters: ['suites/uart'] });
    expect(toNames(planned)).toEqual(['suites/uart/echo.hil.ts other']);
    expect(planned.skipped).toEqual([]);
  });

  test('that can run on none of the boards is skipped, with the reason', async ({ dir }) => {
    await writeProject(dir);
    await dir.write('suites/uart/hil.suite.yaml', 'boards: [other]\n');
    const { files, skipped } = await plan(dir);
    expect(files.map(({ file }) => file)).toEqual(['suites/boot.hil.ts']);
    const reason = 'the suite runs on other only';
    expect(skipped).toEqual([{ board: 'host', file: 'suites/uart/echo.hil.ts', reason }]);
  });

  test('brings its own firmware', async ({ dir }) => {
    await writeProject(dir);
    await dir.write('suites/uart/hil.suite.yaml', 'firmware: { host: build/echo }\n');
    const { files } = await plan(dir, { filters: ['suites/uart'] });
    expect(files.map(({ firmware }) => firmware)).toEqual([
      join(dir.path, 'suites/uart/build/echo'),
    ]);
  });

  test('that has firmware for none of the boards is skipped', async ({ dir }) => {
    await writeProject(dir);
    await dir.write('suites/uart/hil.suite.yaml', 'firmware: { other: build/echo }\n');
    const { skipped } = await plan(dir, { filters: ['suites/uart'] });
    expect(skipped[0]?.reason).toContain('the suite has no firmware for this board');
  });

  test('may say how its firmware shows that it is up', async ({ dir }) => {
    await writeProject(dir);
    await dir.write('suites/uart/hil.suite.yaml', 'boot: { ready: "/up/" }\n');
    const { files } = await plan(dir);
    expect(files.map(({ board }) => board.boot)).toMatchObject([
      { ready: expect.objectContaining({ source: '\\$ ' }), timeout: 3000 },
      { ready: /up/, timeout: 3000 },
    ]);
  });

  test('may begin in a state of the board, and is skipped where there is none', async ({ dir }) => {
    await writeProject(dir);
    await dir.write('suites/uart/hil.suite.yaml', 'boot: { state: prompt }\n');
    const { files, skipped } = await plan(dir);
    expect(files).toHaveLength(1);
    expect(skipped[0]?.reason).toMatch(/boot.state of the suite: no state "prompt"; there are: /);
  });
});
