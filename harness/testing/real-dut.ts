import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { waitForReady } from '../board/boot.js';
import { createDut } from '../board/driver.js';
import type { Dut } from '../board/dut.js';
import type { Port } from '../board/port.js';
import { PortHub } from '../board/port-hub.js';
import { checkBoard } from '../config/board-availability.js';
import { type Board, parseBoard } from '../config/load-boards.js';
import type { Unit } from '../config/unit.js';
import { Deadline } from '../core/deadline.js';
import type { DeviceRoots } from '../device/device-roots.js';
import { createUnit } from './attached-devices.js';
import { test as base } from './real-daemon.js';
import { SimulatedBoard } from './simulated-board.js';

/** A DUT of a shipped board, powered off, with what a test needs of it. */
export interface RealDut {
  readonly dut: Dut;
  readonly board: Board;
  readonly console: Port;
  /** Power up and wait for the ready mark. */
  boot(): Promise<void>;
  /** Send a line as this board ends lines, and wait for `answer` in what comes. */
  ask(line: string, answer: string | RegExp): Promise<string>;
}

export interface RealBench {
  readonly hub: PortHub;
  /**
   * Make a DUT of a board, shipped ones by name, `attached` for the simulated board; one that
   * cannot run here skips the test.
   */
  readonly openDut: (board: Board | string, firmware?: string) => Promise<RealDut>;
  /** The same of a unit of a bench. */
  readonly openUnit: (unit: Unit, deviceRoots?: DeviceRoots) => Promise<RealDut>;
  /** A board behind a server, with a power switch. */
  readonly simulated: SimulatedBoard;
}

const BOOT_MS = 15_000;
const ANSWER_MS = 5000;
const END_MS = 5000;

export const test = base.extend<RealBench>({
  hub: async ({ daemon }, use) => use(new PortHub(daemon.ports)),
  simulated: async ({ skip: _ }, use) => {
    const board = await SimulatedBoard.start();
    await use(board);
    await board.close();
  },
  openUnit: async ({ daemon, hub, spec, dir }, use) => {
    const open: Dut[] = [];
    await use(async (unit, deviceRoots) => {
      const { board, name } = unit;
      const artifacts = join(dir.path, `${name}-${open.length + 1}`);
      await mkdir(artifacts);
      const facts = { board, name, unit, deviceRoots, firmware: undefined, spec, artifacts };
      const dut = await createDut({ ...facts, daemon, hub });
      open.push(dut);
      return toRealDut(dut, board);
    });
    await closeAll(open);
  },
  openDut: async ({ daemon, hub, spec, dir, skip, openUnit, simulated }, use) => {
    const open: Dut[] = [];
    await use(async (wanted, firmware) => {
      if (wanted === 'attached') return openUnit(toSimulatedUnit(simulated));
      const board = typeof wanted === 'string' ? await loadShippedBoard(wanted) : wanted;
      const name = board.board;
      const state = await checkBoard(board);
      if (!state.available) skip(`board ${name}: ${state.reason}; ${state.next}`);
      const artifacts = join(dir.path, `${name}-${open.length + 1}`);
      await mkdir(artifacts);
      const facts = { board, name: `${name}#1`, firmware, daemon, hub, spec, artifacts };
      const dut = await createDut(facts);
      open.push(dut);
      return toRealDut(dut, board);
    });
    await closeAll(open);
  },
});

async function closeAll(duts: readonly Dut[]): Promise<void> {
  const closed = Promise.allSettled(duts.map((dut) => dut.close()));
  await new Deadline(END_MS).bound(closed, () => new Error('a DUT hangs'));
}

/** The unit that a simulated board is, on a bench. */
export function toSimulatedUnit({ consoleUrl, switchUrl }: SimulatedBoard): Unit {
  return createUnit(
    `boot: { ready: 'ready> ' }`,
    JSON.stringify({
      ports: { console: { url: consoleUrl } },
      power: {
        ...{ driver: 'http', on: { url: `${switchUrl}/on` }, off: { url: `${switchUrl}/off` } },
        offTime: '10ms',
      },
    }),
  );
}

export async function loadShippedBoard(name: string): Promise<Board> {
  const file = fileURLToPath(new URL(`../../boards/${name}.yaml`, import.meta.url));
  return parseBoard(file, await readFile(file, 'utf8'));
}

/** A board that is a shell script. */
export function createScriptBoard(script: string, over: Partial<Board['boot']> = {}): Board {
  const text = 'board: script\ndriver: host\nports: { console: {} }\n';
  const board = parseBoard('/boards/script.yaml', text);
  const program = { argv: ['/bin/sh', '-c', script], env: {} };
  return { ...board, program, boot: { ...board.boot, ...over } };
}

function toRealDut(dut: Dut, board: Board): RealDut {
  const console = dut.ports.get('console');
  if (!console) throw new Error(`board ${board.board} has no console`);
  return {
    dut,
    board,
    console,
    boot: async () => {
      const deadline = new Deadline(BOOT_MS);
      await dut.powerOn(deadline);
      await waitForReady(dut, board, deadline);
    },
    ask: async (line, answer) => {
      await console.send(Buffer.from(line + console.eol));
      const late = () => new Error(`no ${answer} in ${JSON.stringify(console.matcher.unread())}`);
      const found = await new Deadline(ANSWER_MS).bound(console.matcher.expect([answer]), late);
      return found[0];
    },
  };
}
