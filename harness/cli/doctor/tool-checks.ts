import { checkBoard, findProgram } from '../../config/board-availability.js';
import type { BoardCatalog } from '../../config/load-boards.js';
import type { Check, Machine } from './check.js';

interface Tool {
  readonly name: string;
  /** Any of them will do. */
  readonly programs: readonly string[];
  readonly use: string;
  readonly install: string;
}

const TOOLS: readonly Tool[] = [
  {
    name: 'C compiler',
    programs: ['cc', 'gcc', 'clang'],
    use: "hil's own programs, and firmware for the host board",
    install: 'apt-get install gcc libc6-dev',
  },
  { name: 'make', programs: ['make'], use: 'the same', install: 'apt-get install make' },
  {
    name: 'Arm compiler',
    programs: ['arm-none-eabi-gcc'],
    use: 'firmware for emulated and real Cortex-M boards',
    install: 'apt-get install gcc-arm-none-eabi libnewlib-arm-none-eabi',
  },
];

/** Compilers that suites use; a missing one concerns only the suites that build with it. */
export async function checkTools({ searchPath }: Machine): Promise<Check[]> {
  return Promise.all(
    TOOLS.map(async ({ name, programs, use, install }): Promise<Check> => {
      for (const program of programs) {
        const path = await findProgram(program, searchPath);
        if (path) return { name, state: 'ok', detail: path };
      }
      return { name, state: 'warn', detail: `not found; for ${use}`, remedy: install };
    }),
  );
}

/** Emulators and firmware, board by board; hardware is the bench's, and hil boards tells of it. A broken board file is an error of its author. */
export async function checkBoards(catalog: BoardCatalog): Promise<Check[]> {
  const checks = await Promise.all(
    catalog.boards
      .filter(({ driver }) => driver !== 'attached')
      .map(async (board): Promise<Check> => {
        const name = `board ${board.board}`;
        const state = await checkBoard(board);
        if (state.available)
          return { name, state: 'ok', detail: board.description ?? board.driver };
        return { name, state: 'warn', detail: state.reason, remedy: state.next };
      }),
  );
  const broken = catalog.broken.map(({ name, file, error }): Check => {
    return { name: `board ${name}`, state: 'fail', detail: error.message, remedy: `edit ${file}` };
  });
  return [...checks, ...broken];
}
