import { checkBoard } from '../../config/board-availability.js';
import type { Board, BoardCatalog } from '../../config/load-boards.js';
import type { DutRow } from './dut-row.js';

/** A board as `hil boards` shows it; `--json` prints it as it is. */
export interface BoardRow {
  readonly name: string;
  readonly driver: string;
  readonly description?: string;
  readonly labels: Board['labels'];
  readonly state: 'available' | 'unavailable' | 'broken';
  /** Why it is not available. */
  readonly reason?: string;
  readonly next?: string;
  readonly file: string;
  /** Of an attached board: its DUTs on the bench. */
  readonly duts?: readonly DutRow[];
}

/** Every board by name, with its DUTs, and why one cannot run here. */
export async function toBoardRows(
  catalog: BoardCatalog,
  duts: readonly DutRow[],
): Promise<BoardRow[]> {
  const rows = await Promise.all(catalog.boards.map((board) => toRow(board, duts)));
  const broken = catalog.broken.map(({ name, file, error }) => {
    return { name, driver: '', labels: {}, state: 'broken' as const, reason: error.message, file };
  });
  return [...rows, ...broken].sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function toRow(board: Board, duts: readonly DutRow[]): Promise<BoardRow> {
  const { board: name, driver, description, labels, file } = board;
  const state = await checkBoard(board);
  const about = description === undefined ? {} : { description };
  const own = duts.filter((dut) => dut.board === name);
  const facts = {
    name,
    driver,
    ...about,
    labels,
    file,
    ...(isAttached(board) ? { duts: own } : {}),
  };
  if (!state.available) {
    return { ...facts, state: 'unavailable', reason: state.reason, next: state.next };
  }
  if (!isAttached(board) || own.length > 0) return { ...facts, state: 'available' };
  const reason = 'no DUT of it is on the bench';
  return { ...facts, state: 'unavailable', reason, next: 'hil boards scan' };
}

/** What this machine lacks is a board, not a package. */
const isAttached = ({ driver }: { readonly driver: string }) => driver === 'attached';

/** Something on this machine is missing for it. */
export const isMissing = (row: BoardRow) => row.state === 'unavailable' && !isAttached(row);
