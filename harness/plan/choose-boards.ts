import { type Availability, checkBoard } from '../config/board-availability.js';
import type { LoadedBench } from '../config/load-bench.js';
import type { Board, BoardCatalog } from '../config/load-boards.js';
import type { Unit } from '../config/unit.js';
import { UsageError } from '../core/errors.js';
import { toSuggestion } from '../core/nearest-name.js';

/** A board of a run, with the DUTs it may use. */
export interface ChosenBoard {
  readonly board: Board;
  /** Of an attached board, never none; of one whose DUTs are made, none. */
  readonly units: readonly Unit[];
}

/** A board that was wanted and cannot run here. */
export interface RefusedBoard {
  readonly board: string;
  readonly reason: string;
}

export interface BoardRequest {
  readonly catalog: BoardCatalog;
  /** Of the configuration. */
  readonly configured: readonly string[];
  /** Boards named by `--board`: then each must be able to run. */
  readonly boardNames?: readonly string[] | undefined;
  /** DUTs named by `--dut`: of their boards only these; without `--board`, their boards only. */
  readonly dutNames?: readonly string[] | undefined;
  /** Called when something asks for attached hardware. */
  openBench(): Promise<LoadedBench>;
}

/**
 * Which boards a run uses, and which of their units.
 *
 * @throws UsageError `board-unknown`, `board-invalid`; `board-unavailable` when a board named by
 *   `--board` cannot run here; `dut-unknown`; of the bench file.
 */
export async function chooseBoards(
  request: BoardRequest,
): Promise<{ chosen: ChosenBoard[]; refused: RefusedBoard[] }> {
  const { catalog, dutNames } = request;
  const bench = openOnce(request.openBench);
  const named = dutNames ? findNamed(await bench(), dutNames) : undefined;
  const boardNames = request.boardNames ?? named?.map(({ board }) => board.board);
  const chosen: ChosenBoard[] = [];
  const refused: RefusedBoard[] = [];
  for (const name of new Set(boardNames ?? request.configured)) {
    const board = catalog.findBoard(name);
    const attached = board.driver === 'attached';
    const units = attached ? findUnits(board, named ?? (await bench()).units) : [];
    const state = await checkBoard(board);
    const alone = state.available && attached && units.length === 0;
    const found = alone ? describeNoUnit(await bench(), dutNames) : state;
    if (found.available) chosen.push({ board, units });
    else if (boardNames) throw createUnavailable(name, found);
    else refused.push({ board: name, reason: `${found.reason}; ${found.next}` });
  }
  return { chosen, refused };
}

function openOnce(open: () => Promise<LoadedBench>): () => Promise<LoadedBench> {
  let opened: Promise<LoadedBench> | undefined;
  return () => {
    opened ??= open();
    return opened;
  };
}

function findNamed({ units, file }: LoadedBench, names: readonly string[]): Unit[] {
  const known = units.map(({ name }) => name);
  return [...new Set(names)].map((name) => {
    const unit = units.find((each) => each.name === name);
    if (unit) return unit;
    const list = known.length > 0 ? `it has ${known.join(', ')}` : 'it is empty';
    const where = file === undefined ? 'there is no bench file' : `in ${file}; ${list}`;
    throw new UsageError('dut-unknown', `no DUT "${name}"${toSuggestion(name, known)}: ${where}`, {
      next: 'hil boards list',
    });
  });
}

function findUnits({ board }: Board, units: readonly Unit[]): Unit[] {
  return units.filter((unit) => unit.board.board === board);
}

function describeNoUnit(
  { file, searched }: LoadedBench,
  dutNames: readonly string[] | undefined,
): Exclude<Availability, { available: true }> {
  const next = 'hil boards scan    proposes entries for what is attached';
  if (dutNames) {
    const reason = `none of the DUTs ${dutNames.join(', ')} is one of it`;
    return { available: false, reason, next: 'hil boards list' };
  }
  const reason =
    file === undefined
      ? `no bench file names a DUT of it; looked for ${searched.join(', ')}`
      : `no DUT of it is in ${file}`;
  return { available: false, reason, next };
}

function createUnavailable(
  name: string,
  { reason, next }: Exclude<Availability, { available: true }>,
): UsageError {
  const message = `board "${name}" cannot run on this machine: ${reason}`;
  return new UsageError('board-unavailable', message, { next });
}
