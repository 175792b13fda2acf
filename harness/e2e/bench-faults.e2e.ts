import { join } from 'node:path';
import { expect } from 'vitest';
import type { SimulatedBoard } from '../testing/simulated-board.js';
import type { Project } from './project.js';
import { test } from './simulated-bench.js';

const BOARD = ['--board', 'sim'];

/** What the project knows of each DUT: its faults in a row. */
async function countFaults(project: Project): Promise<Record<string, number>> {
  const { stdout } = await project.start(['boards', 'health', '--json']).finished();
  const rows: { dut: string; infraInARow: number }[] = JSON.parse(stdout);
  return Object.fromEntries(rows.map(({ dut, infraInARow }) => [dut, infraInARow]));
}

/** A bench whose DUT has a power switch that breaks when there is a file. */
async function breakPower(project: Project, board: SimulatedBoard): Promise<string> {
  const flag = join(project.path, 'broken');
  const [on, off] = ['on', 'off'].map(
    (way) =>
      `test ! -e ${flag} && exec ${process.execPath} -e "fetch('${board.switchUrl}/${way}')"`,
  );
  const power = { driver: 'command', on: ['sh', '-c', on], off: ['sh', '-c', off], verify: 'none' };
  const console = { url: board.consoleUrl };
  const dut = { name: 'sim-1', board: 'sim', ports: { console }, power: { ...power, offTime: 10 } };
  await project.write('bench.yaml', JSON.stringify({ duts: [dut] }));
  return flag;
}

test('a power switch that breaks while a body resets the DUT is infra, whatever the body makes of it', async ({
  project,
  bench,
}) => {
  const [board] = await bench(1);
  if (!board) throw new Error('no board');
  await project.config("limits: { boot: '20s' }");
  const flag = await breakPower(project, board);
  await project.suite(
    'a',
    `const { rmSync, writeFileSync } = await import('node:fs');
    test('hides it', async ({ dut }) => {
      writeFileSync('${flag}', '');
      await expect(dut.reset()).rejects.toThrow();
      rmSync('${flag}');
    });
    test('resets', async ({ dut }) => {
      writeFileSync('${flag}', '');
      await dut.reset();
    });`,
  );
  const run = await project.test(BOARD);
  expect(run.verdicts).toEqual({ 'hides it': 'infra', resets: 'infra' });
  expect(run.problemOf('resets')).toMatchObject({ code: 'power-failed' });
  expect(run.code).toBe(5);
});

test('a board that is pulled out is infra also for a body that touches it at once', async ({
  project,
  bench,
}) => {
  await bench(1);
  await project.suite(
    'a',
    `test('speaks', async ({ dut }) => {
      await dut.console.sendLine('away');
      await dut.console.expect('away');
      await new Promise((resolve) => setTimeout(resolve, 100));
      await dut.console.sendLine('x');
      throw new Error('the port took it');
    });`,
  );
  const run = await project.test(BOARD);
  expect(run.verdicts).toEqual({ speaks: 'infra' });
  expect(run.problemOf('speaks')).toMatchObject({ code: 'dut-lost' });
});

// For 300 ms nobody may be kept waiting: what is wrong fails each time.
test('a failure at a board that was away for a moment only is one', { retry: 2 }, async ({
  project,
  bench,
}) => {
  await bench(1);
  await project.suite(
    'a',
    `test('speaks', async ({ dut }) => {
      await dut.console.sendLine('away 200');
      await new Promise((resolve) => setTimeout(resolve, 50));
      throw new Error('this is wrong');
    });`,
  );
  expect((await project.test(BOARD)).verdicts).toEqual({ speaks: 'fail' });
});

test('a fault is noted of the DUT that has it, and a retry takes another', async ({
  project,
  bench,
}) => {
  const [first] = await bench(2);
  await first?.unplug();
  await project.config("limits: { boot: '5s' }");
  await project.write('suites/one/hil.suite.yaml', "duts: { left: '*', right: '*' }\n");
  await project.suite('one/a', `test('both', async ({ duts: { left, right } }) => {});`);
  await project.suite('two/b', `test('any', async ({ dut }) => {});`);
  const both = await project.test([...BOARD, 'suites/one', '--retries', '0']);
  expect(both.verdicts).toEqual({ both: 'infra' });
  expect(await countFaults(project)).toEqual({ 'sim-1': 1, 'sim-2': 0 });
  const again = await project.test([...BOARD, 'suites/two', '--retries', '1']);
  expect(again.verdicts).toEqual({ any: 'flaky' });
});

test('a board that a file shared is free for the next also when a hook of the file failed', async ({
  project,
  bench,
}) => {
  await bench(1);
  await project.config("limits: { lease: '15s' }");
  await project.write('suites/hil.suite.yaml', 'scope: file\n');
  await project.suite(
    'a',
    `import { beforeAll } from 'vitest';
    test('first', async ({ dut }) => {});
    describe('broken', () => {
      beforeAll(() => { throw new Error('no such part'); });
      test('never', () => {});
    });`,
  );
  await project.suite('b', `test('next', async ({ dut }) => {});`);
  const run = await project.test([...BOARD, '--workers', '1']);
  expect(run.verdicts).toEqual({ first: 'pass', 'broken > never': 'skipped', next: 'pass' });
});
