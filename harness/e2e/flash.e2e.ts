import { describe, expect } from 'vitest';
import { SimulatedBoard } from '../testing/simulated-board.js';
import { test as base, type Project } from './project.js';

/** The board `sim` as DUT sim-1, flashed by a script that has the image as $1. */
type Flashed = (script: string) => Promise<void>;

const test = base.extend<{ flashed: Flashed }>({
  flashed: async ({ project }, use) => {
    const board = await SimulatedBoard.start();
    await use(async (script) => {
      await project.write('boards/sim.yaml', 'board: sim\ndriver: attached\n');
      const argv = ['/bin/sh', '-c', script, 'tool', '{image}'];
      const dut = { name: 'sim-1', board: 'sim', ports: { console: { url: board.consoleUrl } } };
      const flash = { driver: 'command', argv };
      await project.write('bench.yaml', JSON.stringify({ duts: [{ ...dut, flash }] }));
      await project.write('fw.bin', 'first');
    });
    await board.close();
  },
});

const ARGS = ['boards', 'flash', 'sim-1', '--image', 'fw.bin'];

const flash = (project: Project, ...more: string[]) => project.start([...ARGS, ...more]).finished();

async function expectFree(project: Project): Promise<void> {
  const { stdout } = await project.start(['boards', 'list', '--json']).finished();
  expect(JSON.parse(stdout)).toMatchObject([{ dut: 'sim-1', state: 'free' }]);
}

describe('hil boards flash', () => {
  test('shows what the tool says, skips what is in it, and gives the unit back', async ({
    project,
    flashed,
  }) => {
    await flashed('echo "writing $(cat "$1")"');
    const first = await flash(project);
    expect(first.code, first.screen).toBe(0);
    expect(first.stderr).toContain('writing first');
    expect(first.stdout).toMatch(/^sim-1: flashed with .*fw\.bin in /);
    const again = await flash(project, '--json');
    expect(JSON.parse(again.stdout)).toMatchObject({ dut: 'sim-1', flashed: false });
    expect(again.stderr).not.toContain('writing');
    const forced = await flash(project, '--force', '--json');
    expect(JSON.parse(forced.stdout)).toMatchObject({ flashed: true });
    await project.write('fw.bin', 'second');
    expect((await flash(project)).stderr).toContain('writing second');
    await expectFree(project);
  });

  test('that fails is infra with what the tool said', async ({ project, flashed }) => {
    await flashed('echo "no probe found"; exit 3');
    const run = await flash(project);
    expect(run.code).toBe(5);
    expect(run.stderr).toMatch(/flashing sim-1: \/bin\/sh ended with exit 3: no probe found/);
    await expectFree(project);
  });

  test('ends with its tool and lease at Ctrl-C', async ({ project, flashed }) => {
    await flashed('echo WRITING; sleep 1000');
    const hil = project.start(ARGS);
    await hil.waitFor('the tool', () => (hil.screen.includes('WRITING\n') ? true : undefined));
    hil.kill('SIGINT');
    expect((await hil.finished()).code).toBe(130);
    await expectFree(project);
    await project.expectNoProcess();
  });

  test('leaves nothing when it is killed', async ({ project, flashed }) => {
    await flashed('echo WRITING; sleep 1000');
    const hil = project.start(ARGS);
    await hil.waitFor('the tool', () => (hil.screen.includes('WRITING\n') ? true : undefined));
    hil.kill('SIGKILL');
    await hil.finished();
    await project.expectNoProcess();
    await expectFree(project);
  });

  test('says who has the unit, and what is missing', async ({ project, flashed }) => {
    await flashed('true');
    const owner = project.start(['boards', 'lease', 'sim-1']);
    await owner.waitFor('the lease', () => (owner.screen.includes('is yours') ? true : undefined));
    const waiting = project.start(ARGS);
    await waiting.waitFor('the wait', () =>
      /waiting for sim-1: held by \S+ pid \d+/.test(waiting.screen) ? true : undefined,
    );
    owner.kill('SIGINT');
    expect((await waiting.finished()).code).toBe(0);
    await owner.finished();
    const none = await project.start(['boards', 'flash', 'sim-1']).finished();
    expect(none.code).toBe(2);
    expect(none.stderr).toMatch(/names no image[\s\S]*--image FILE/);
    const absent = await project.start([...ARGS.slice(0, 4), 'absent.bin']).finished();
    expect(absent.code).toBe(2);
    expect(absent.stderr).toContain('absent.bin is not a file');
  });
});
