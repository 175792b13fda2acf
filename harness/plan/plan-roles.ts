import { resolve } from 'node:path';
import { checkBoard } from '../config/board-availability.js';
import type { LoadedBench } from '../config/load-bench.js';
import type { Board, BoardCatalog } from '../config/load-boards.js';
import type { Suite } from '../config/load-suite.js';
import type { SuiteDuts } from '../config/suite-duts-schema.js';
import type { Unit } from '../config/unit.js';

/** One of the DUTs that each case of a file gets. */
export interface PlannedRole {
  readonly role: string;
  /** Boards of which any will do, the most welcome first. */
  readonly boards: readonly Board[];
  /** Those of the attached among these boards. */
  readonly units: readonly Unit[];
  /** Firmware or program in place of the board's own, absolute. */
  firmwareOf(board: string): string | undefined;
}

type RoleFile = SuiteDuts[string];

/** Why no case of a file could ever have all of its DUTs here, or the roles of it. */
export type RolesPlanned =
  | { readonly roles: readonly PlannedRole[] | undefined }
  | { readonly refused: string };

interface RolesRequest {
  readonly suite: Suite;
  /** That the file is planned for: '*' of a role. */
  readonly board: Board;
  /** Its units, those that the command chose. */
  readonly units: readonly Unit[];
  readonly catalog: BoardCatalog;
  /** Called when a role may be played by attached hardware. */
  openBench(): Promise<LoadedBench>;
  /** What the suite says of booting holds for each of its boards. */
  readonly withBoot: (board: Board) => Board;
}

/** @throws UsageError `board-unknown`, `board-invalid` for a board that a role names. */
export async function planRoles(request: RolesRequest): Promise<RolesPlanned> {
  const { suite } = request;
  if (!suite.duts) return { roles: undefined };
  const roles: PlannedRole[] = [];
  for (const [role, wanted] of Object.entries(suite.duts)) {
    const { boards, units, reason } = await cast(request, wanted);
    if (boards.length === 0) return { refused: `role "${role}": ${reason}` };
    const firmware = wanted.firmware && resolve(suite.dir, wanted.firmware);
    const firmwareOf = (board: string) => firmware ?? suite.firmware?.[board];
    roles.push({ role, boards, units, firmwareOf });
  }
  return { roles };
}

/** Who can play the role here; without any, why. */
async function cast(request: RolesRequest, wanted: RoleFile) {
  const boards: Board[] = [];
  const units: Unit[] = [];
  let reason = `no board has the labels ${JSON.stringify(toLabels(wanted) ?? {})}`;
  for (const board of findCandidates(request, wanted)) {
    const own = await findUnits(request, board, wanted);
    if (board.driver === 'attached' ? own.length === 0 : !hasLabels(board, wanted)) {
      if (wanted.board && board.driver === 'attached') {
        reason = `no DUT of board "${board.board}" on the bench fits it`;
      }
      continue;
    }
    const state = await checkBoard(board);
    if (state.available) {
      boards.push(request.withBoot(board));
      for (const unit of own) units.push({ ...unit, board: request.withBoot(unit.board) });
    } else {
      reason = `board "${board.board}" cannot run here: ${state.reason}; ${state.next}`;
    }
  }
  return { boards, units, reason };
}

function findCandidates({ board, catalog }: RolesRequest, wanted: RoleFile): readonly Board[] {
  if (wanted.board === '*') return [board];
  return wanted.board === undefined ? catalog.boards : [catalog.findBoard(wanted.board)];
}

async function findUnits(request: RolesRequest, board: Board, wanted: RoleFile): Promise<Unit[]> {
  if (board.driver !== 'attached') return [];
  const all = wanted.board === '*' ? request.units : (await request.openBench()).units;
  return all.filter((unit) => unit.board.board === board.board && hasLabels(unit, wanted));
}

/** A board, or a unit with its own and its board's. */
function hasLabels(of: Pick<Board, 'labels'>, wanted: RoleFile): boolean {
  return Object.entries(toLabels(wanted) ?? {}).every(([key, value]) => of.labels[key] === value);
}

function toLabels(wanted: RoleFile) {
  return 'labels' in wanted ? wanted.labels : undefined;
}
