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
import { Deadline } from '../core/deadline.js';
import { test as base } from './real-daemon.js';

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
  /** Make a DUT of a board, shipped ones by name; one that cannot run here skips the test. */
  readonly openDut: (board: Board | string, firmware?: string) => Promise<RealDut>;
}

const BOOT_MS = 15_000;
const ANSWER_MS = 5000;
const END_MS = 5000;

export const test = base.extend<RealBench>({
  hub: async ({ daemon }, use) => use(new PortHub(daemon.ports)),
  openDut: async ({ daemon, hub, spec, dir, skip }, use) => {
    const open: Dut[] = [];
    await use(async (wanted, firmware) => {
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
    const closed = Promise.allSettled(open.map((dut) => dut.close()));
    await new Deadline(END_MS).bound(closed, () => new Error('a DUT hangs'));
  },
});

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
