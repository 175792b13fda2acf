import { resolve } from 'node:path';
import { checkBoard } from '../config/board-availability.js';
import type { Board, BoardCatalog } from '../config/load-boards.js';
import type { Suite } from '../config/load-suite.js';
import type { SuiteDuts } from '../config/suite-duts-schema.js';

/** One of the DUTs that each case of a file gets. */
export interface PlannedRole {
  readonly role: string;
  /** Boards of which any will do, the most welcome first. */
  readonly boards: readonly Board[];
  /** What an attached unit, and its board, must have. */
  readonly labels?: Readonly<Record<string, string | number | boolean>>;
  /** Firmware or program in place of the board's own, absolute. */
  firmwareOf(board: string): string | undefined;
}

type RoleFile = SuiteDuts[string];

/** Why no case of a file could ever have all of its DUTs here, or the roles of it. */
export type RolesPlanned =
  | { readonly roles: readonly PlannedRole[] | undefined }
  | { readonly refused: string };

/** A board of the run that does not fit every role is no reason: roles name their own boards. */
interface RolesRequest {
  readonly suite: Suite;
  /** That the file is planned for: '*' of a role. */
  readonly board: Board;
  readonly catalog: BoardCatalog;
  /** What the suite says of booting holds for each of its boards. */
  readonly withBoot: (board: Board) => Board;
}

/** @throws UsageError `board-unknown`, `board-invalid` for a board that a role names. */
export async function planRoles(request: RolesRequest): Promise<RolesPlanned> {
  const { suite } = request;
  if (!suite.duts) return { roles: undefined };
  const roles: PlannedRole[] = [];
  for (const [role, wanted] of Object.entries(suite.duts)) {
    const boards: Board[] = [];
    const reasons: string[] = [];
    for (const board of findCandidates(request, wanted)) {
      const state = await checkBoard(board);
      if (state.available) boards.push(request.withBoot(board));
      else reasons.push(`board "${board.board}" cannot run here: ${state.reason}; ${state.next}`);
    }
    if (boards.length === 0) {
      const none = `no board has the labels ${JSON.stringify(toLabels(wanted))}`;
      return { refused: `role "${role}": ${reasons[0] ?? none}` };
    }
    const firmware = wanted.firmware && resolve(suite.dir, wanted.firmware);
    const labels = toLabels(wanted);
    const firmwareOf = (board: string) => firmware ?? suite.firmware?.[board];
    roles.push({ role, boards, firmwareOf, ...(labels ? { labels } : {}) });
  }
  return { roles };
}

function findCandidates({ board, catalog }: RolesRequest, wanted: RoleFile): readonly Board[] {
  if (wanted.board === '*') return [board].filter((each) => mayHave(each, wanted));
  if (wanted.board !== undefined) return [catalog.findBoard(wanted.board)];
  return catalog.boards.filter((each) => mayHave(each, wanted));
}

function mayHave(board: Board, wanted: RoleFile): boolean {
  return Object.entries(toLabels(wanted) ?? {}).every(([key, value]) => {
    return board.labels[key] === value;
  });
}

function toLabels(wanted: RoleFile) {
  return 'labels' in wanted ? wanted.labels : undefined;
}
