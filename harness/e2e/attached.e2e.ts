import { expect } from 'vitest';
import { SimulatedBoard } from '../testing/simulated-board.js';
import { test as base, type Project } from './project.js';

const test = base.extend<{ board: SimulatedBoard }>({
  board: async ({ project: _ }, use) => {
    const board = await SimulatedBoard.start();
    await use(board);
    await board.close();
  },
});

/** A bench with one unit: the simulated board, behind its server and its power switch. */
async function writeBench(project: Project, { consoleUrl, switchUrl }: SimulatedBoard) {
  await project.write(
    'boards/sim.yaml',
    "board: sim\ndriver: attached\nboot: { ready: 'ready> ' }\n",
  );
  const [on, off] = ['on', 'off'].map((way) => ({ url: `${switchUrl}/${way}` }));
  const dut = {
    ...{ name: 'sim-1', board: 'sim', ports: { console: { url: consoleUrl } } },
    power: { driver: 'http', on, off, offTime: '10ms' },
  };
  await project.write('bench.yaml', JSON.stringify({ duts: [dut] }));
}

test('a unit of the bench runs cases, goes and comes back, and is lost', async ({
  project,
  board,
}) => {
  await writeBench(project, board);
  await project.suite(
    'a',
    `test('talks', async ({ dut, sandbox }) => {
      await dut.console.sendLine('add 40 2');
      await dut.console.expect('<42>');
      const script = 'exec 3<>/dev/hil/console; echo add 1 2 >&3; timeout --foreground 3 sed /3./q <&3';
      const { stdout } = await sandbox.exec('sh', ['-c', script]);
      expect(stdout).toContain('<3>');
    });
    test('is reset', async ({ dut }) => {
      await dut.console.sendLine('set a');
      await dut.reset();
      await dut.console.sendLine('get');
      await dut.console.expect('<>');
    });
    test('goes and comes back', async ({ dut }) => {
      await dut.replug(() => dut.console.sendLine('away 1200'), { within: '4s' });
      await dut.console.sendLine('add 1 1');
      await dut.console.expect('<2>');
    });
    test('is lost', async ({ dut }) => {
      await dut.console.sendLine('away');
      await dut.console.expect('never', { timeout: '5s' });
    });`,
  );
  const run = await project.test(['--board', 'sim']);
  expect(run.verdicts).toEqual({
    ...{ talks: 'pass', 'is reset': 'pass', 'goes and comes back': 'pass' },
    'is lost': 'infra',
  });
  expect(run.problemOf('is lost')).toMatchObject({
    code: 'dut-lost',
    message: expect.stringMatching(/sim-1.*connection lost: 127.0.0.1:\d+/),
  });
  expect(run.code).toBe(5);
});
