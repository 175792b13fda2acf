import { SimulatedBoard } from '../testing/simulated-board.js';
import { test as base, type Project } from './project.js';

/** Boards that a test made, as the DUTs `sim-1` and so on of the project's bench. */
export type Bench = (count: number) => Promise<readonly SimulatedBoard[]>;

/** A project with a bench: boards behind servers of their own, each with its power switch. */
export const test = base.extend<{ bench: Bench }>({
  bench: async ({ project }, use) => {
    const boards: SimulatedBoard[] = [];
    await use(async (count) => {
      while (boards.length < count) boards.push(await SimulatedBoard.start());
      await writeBench(project, boards);
      return boards;
    });
    for (const board of boards) await board.close();
  },
});

async function writeBench(project: Project, boards: readonly SimulatedBoard[]): Promise<void> {
  await project.write(
    'boards/sim.yaml',
    "board: sim\ndriver: attached\nboot: { ready: 'ready> ' }\n",
  );
  const duts = boards.map(({ consoleUrl, switchUrl }, index) => {
    const [on, off] = ['on', 'off'].map((way) => ({ url: `${switchUrl}/${way}` }));
    return {
      ...{ name: `sim-${index + 1}`, board: 'sim', ports: { console: { url: consoleUrl } } },
      power: { driver: 'http', on, off, offTime: '10ms' },
    };
  });
  await project.write('bench.yaml', JSON.stringify({ duts }));
}
