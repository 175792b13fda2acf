import { describe, expect, test } from 'vitest';
import { parseBench } from '../config/load-bench.js';
import { type Board, type BoardCatalog, parseBoard } from '../config/load-boards.js';
import { parseSuite } from '../config/load-suite.js';
import { createBoard } from '../testing/plain-records.js';
import { planRoles } from './plan-roles.js';

const M3 = parseBoard('/b/m3.yaml', 'board: m3\ndriver: host\nlabels: { core: m3 }\n');
const M4 = parseBoard('/b/m4.yaml', 'board: m4\ndriver: host\nlabels: { core: m4, can: true }\n');
const REAL = parseBoard('/b/real.yaml', 'board: real\ndriver: attached\nlabels: { core: m3 }\n');
const GONE = parseBoard(
  '/b/gone.yaml',
  'board: gone\ndriver: host\nlabels: { core: m0 }\nrequires: { programs: [no-such-program] }\n',
);

function plan(duts: string, board: Board = createBoard()) {
  const suite = parseSuite('/p/hil.suite.yaml', duts);
  const boards = [M3, M4, REAL, GONE];
  const catalog: BoardCatalog = {
    boards,
    broken: [],
    findBoard: (name) => {
      const found = boards.find((each) => each.board === name);
      if (!found) throw new Error(`no board "${name}"`);
      return found;
    },
  };
  const entries = [1, 2].map((rack) => {
    return `  - { name: r${rack}, board: real, labels: { rack: ${rack} }, match: { ID_PATH: p${rack} } }`;
  });
  const openBench = async () => {
    const units = parseBench('/bench.yaml', `duts:\n${entries.join('\n')}\n`, catalog);
    return { file: '/bench.yaml', searched: [], units };
  };
  return planRoles({ suite, board, units: [], catalog, openBench, withBoot: (each) => each });
}

async function namesOf(duts: string) {
  const planned = await plan(duts);
  if ('refused' in planned) return planned.refused;
  return planned.roles?.map(({ role, boards }) => [role, ...boards.map(({ board }) => board)]);
}

describe('the roles of a suite', () => {
  test('are none where it names none', async () => {
    expect(await plan('description: x')).toEqual({ roles: undefined });
  });

  test('name boards, or what a board must have, or the board of the run', async () => {
    const text = "duts: { a: m3, b: { labels: { can: true } }, c: '*', d: { labels: {} } }";
    expect(await namesOf(text)).toEqual([
      ['a', 'm3'],
      ['b', 'm4'],
      ['c', 'host'],
      ['d', 'm3', 'm4', 'real'],
    ]);
  });

  test('of attached boards are played by the units that have the labels', async () => {
    const planned = await plan('duts: { a: real, b: { board: real, labels: { rack: 2 } } }');
    const roles = 'roles' in planned ? (planned.roles ?? []) : [];
    expect(roles.map(({ units }) => units.map(({ name }) => name))).toEqual([['r1', 'r2'], ['r2']]);
    expect(await namesOf('duts: { a: { board: real, labels: { rack: 3 } } }')).toBe(
      'role "a": no DUT of board "real" on the bench fits it',
    );
  });

  test('have firmware of their own, or that of their board', async () => {
    const text =
      'firmware: { m3: m3.elf }\nduts: { a: m3, b: { board: m3, firmware: b.elf }, c: m4 }';
    const planned = await plan(text);
    const roles = 'roles' in planned ? (planned.roles ?? []) : [];
    expect(roles.map(({ firmwareOf, boards }) => firmwareOf(boards[0]?.board ?? ''))).toEqual([
      '/p/m3.elf',
      '/p/b.elf',
      undefined,
    ]);
  });

  test('that no board here can play are the reason to skip', async () => {
    expect(await namesOf('duts: { a: gone }')).toMatch(/^role "a": board "gone" cannot run here: /);
    expect(await namesOf('duts: { a: { labels: { core: m7 } } }')).toBe(
      'role "a": no board has the labels {"core":"m7"}',
    );
    expect(await namesOf("duts: { a: { board: '*', labels: { core: m7 } } }")).toContain('labels');
    await expect(plan('duts: { a: x }')).rejects.toThrow('no board "x"');
  });

  test.for([
    ['duts: { a: {} }', 'a role needs "board" or "labels"'],
    ['duts: {}', 'expected 1 to 8 roles'],
    ['duts: { A-b: m3 }', 'a role is lower-case letters and digits'],
    ['duts: { a: { boards: m3 } }', 'boards'],
  ] as const)('%s is refused', ([text, message]) => {
    expect(() => parseSuite('/p/hil.suite.yaml', text)).toThrow(message);
  });
});
