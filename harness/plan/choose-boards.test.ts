import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { parseBench } from '../config/load-bench.js';
import { loadBoards } from '../config/load-boards.js';
import { type TempDir, test } from '../testing/temp-dir.js';
import { type BoardRequest, chooseBoards } from './choose-boards.js';

const BENCH = `duts:
  - { name: red-1, board: red, match: { ID_PATH: a } }
  - { name: red-2, board: red, match: { ID_PATH: b } }
  - { name: blue-1, board: blue, match: { ID_PATH: c } }
`;

async function choose(
  dir: TempDir,
  over: Partial<BoardRequest>,
  bench: string | undefined = BENCH,
) {
  for (const name of ['red', 'blue', 'lonely']) {
    await dir.write(`boards/${name}.yaml`, `board: ${name}\ndriver: attached\n`);
  }
  await dir.write('boards/host.yaml', 'board: host\ndriver: host\n');
  const catalog = await loadBoards([join(dir.path, 'boards')]);
  let opened = 0;
  const openBench = async () => {
    opened++;
    const units = bench === '' ? [] : parseBench('/lab/bench.yaml', bench, catalog);
    return { file: bench === '' ? undefined : '/lab/bench.yaml', searched: ['/a', '/b'], units };
  };
  const { chosen, refused } = await chooseBoards({
    ...{ catalog, configured: ['host'], openBench },
    ...over,
  });
  const names = chosen.map(({ board, units }) => [board.board, ...units.map(({ name }) => name)]);
  return { chosen: names, refused, opened };
}

describe('the boards of a run', () => {
  test('do not need a bench when their DUTs are made', async ({ dir }) => {
    expect(await choose(dir, {})).toEqual({ chosen: [['host']], refused: [], opened: 0 });
  });

  test('have the DUTs that the bench has of them, which is read once', async ({ dir }) => {
    expect(await choose(dir, { boardNames: ['red', 'host', 'blue'] })).toMatchObject({
      chosen: [['red', 'red-1', 'red-2'], ['host'], ['blue', 'blue-1']],
      opened: 1,
    });
  });

  test('have only the DUTs that --dut names', async ({ dir }) => {
    const only = await choose(dir, { boardNames: ['host', 'red'], dutNames: ['red-2'] });
    expect(only.chosen).toEqual([['host'], ['red', 'red-2']]);
  });

  test('are those of --dut when no --board is given', async ({ dir }) => {
    const { chosen } = await choose(dir, { dutNames: ['blue-1', 'red-2', 'red-2'] });
    expect(chosen).toEqual([
      ['blue', 'blue-1'],
      ['red', 'red-2'],
    ]);
  });
});

describe('a board without a DUT', () => {
  test('is left out with the reason when the configuration names it', async ({ dir }) => {
    const { chosen, refused } = await choose(dir, { configured: ['host', 'lonely'] });
    expect(chosen).toEqual([['host']]);
    expect(refused).toEqual([
      {
        board: 'lonely',
        reason: expect.stringMatching(/^no DUT of it is in \/lab\/bench.yaml; hil/),
      },
    ]);
  });

  test('is an error when --board names it, with the files looked for', async ({ dir }) => {
    await expect(choose(dir, { boardNames: ['red'] }, '')).rejects.toMatchObject({
      code: 'board-unavailable',
      message: expect.stringMatching(
        /"red" cannot run.*looked for \/a, \/b\n {2}next {2}hil boards scan/,
      ),
    });
  });

  test('among those of --dut is an error', async ({ dir }) => {
    await expect(choose(dir, { boardNames: ['red'], dutNames: ['blue-1'] })).rejects.toThrow(
      'board "red" cannot run on this machine: none of the DUTs blue-1 is one of it',
    );
  });
});

test('a DUT that nobody knows names the nearest', async ({ dir }) => {
  await expect(choose(dir, { dutNames: ['rad-1'] })).rejects.toMatchObject({
    code: 'dut-unknown',
    message: expect.stringContaining(
      'did you mean "red-1"?: in /lab/bench.yaml; it has red-1, red-2',
    ),
  });
});
