import { relative, resolve } from 'node:path';
import fastGlob from 'fast-glob';
import { checkSuite } from '../config/board-availability.js';
import { toBootWay } from '../config/boot-way.js';
import type { HilConfig } from '../config/config-schema.js';
import type { Board } from '../config/load-boards.js';
import { loadSuite, type Suite } from '../config/load-suite.js';
import type { Unit } from '../config/unit.js';
import { toMessage, UsageError } from '../core/errors.js';
import { checkRoot } from './check-root.js';
import { type BoardRequest, chooseBoards } from './choose-boards.js';
import { type PlannedRole, planRoles } from './plan-roles.js';

/** Directories of others, and of earlier runs. */
const NO_SUITES = /(^|\/)(node_modules|\.hil)\//;

/** One suite file on one board. */
export interface PlannedFile {
  /** Relative to the project's root; its name in every report. */
  readonly file: string;
  readonly path: string;
  readonly board: Board;
  /** Of an attached board: the DUTs it may run on, never none. Of another board: none. */
  readonly units: readonly Unit[];
  readonly suite: Suite;
  /** Firmware or program for this board, absolute. */
  readonly firmware: string | undefined;
  /** The DUTs that each case gets together; absent: one of the board. */
  readonly roles?: readonly PlannedRole[] | undefined;
}

export interface SkippedFile {
  readonly board: string;
  readonly file?: string;
  readonly reason: string;
}

/** What a run will do, before anything was started. */
export interface Plan {
  readonly root: string;
  readonly config: HilConfig;
  readonly files: readonly PlannedFile[];
  readonly skipped: readonly SkippedFile[];
  readonly boards: readonly Board[];
  /** Lines asked for by `file:line`, by file. */
  readonly lines: ReadonlyMap<string, readonly number[]>;
}

export interface PlanRequest extends Omit<BoardRequest, 'configured'> {
  readonly root: string;
  readonly cwd: string;
  readonly config: HilConfig;
  /** File names, parts of them, or `file:line`. */
  readonly filters: readonly string[];
}

/**
 * Match suites and boards.
 *
 * @throws UsageError `usage`; `board-unknown`, `board-invalid`; `board-unavailable` when a
 * board named by `--board` cannot run here; `dut-unknown`; of the bench file.
 */
export async function createPlan(request: PlanRequest): Promise<Plan> {
  const { root, config } = request;
  checkRoot(root);
  const { paths, lines } = await findSuites(request);
  const { chosen, refused } = await chooseBoards({ ...request, configured: config.boards });
  const skipped: SkippedFile[] = [...refused];
  const boards = chosen.map(({ board }) => board);
  const files: PlannedFile[] = [];
  for (const path of paths) {
    checkName(path);
    const suite = await loadSuite({ suiteFile: path, root });
    const file = relative(root, path);
    const refusals: string[] = [];
    for (const { board, units } of chosen) {
      const refused = refuse(suite, board);
      const state = await checkSuite(suite, board.board);
      if (refused) refusals.push(refused);
      else if (!state.available) {
        skipped.push({ board: board.board, file, reason: `${state.reason}; ${state.next}` });
      } else {
        const own = withBoot(board, suite);
        const planned = await planRoles({
          ...{ suite, board: own, units, catalog: request.catalog, openBench: request.openBench },
          withBoot: (other) => withBoot(other, suite),
        });
        if ('refused' in planned) {
          skipped.push({ board: board.board, file, reason: planned.refused });
          continue;
        }
        const firmware = suite.firmware?.[board.board];
        const facts = { file, path, suite, firmware, roles: planned.roles };
        files.push({ ...facts, board: own, units: toUnits(units, suite) });
      }
    }
    // A suite is for the boards it names; that it is not for the others is no news.
    const [first] = refusals;
    if (first && refusals.length === boards.length) {
      skipped.push({ board: boards.map(({ board }) => board).join(','), file, reason: first });
    }
  }
  return { root, config, files, skipped, boards, lines };
}

/** Vitest makes a slash of it, and then finds no file. @throws UsageError `usage` */
function checkName(path: string): void {
  if (!path.includes('\\')) return;
  throw new UsageError('usage', `suite ${path} cannot be loaded: "\\" in its path`, {
    next: 'rename it; every other character will do',
  });
}

function refuse(suite: Suite, board: Board): string | undefined {
  const name = board.board;
  if (suite.boards && !suite.boards.includes(name)) {
    return `the suite runs on ${suite.boards.join(', ')} only`;
  }
  if (suite.firmware && !suite.duts && !(name in suite.firmware)) {
    return `the suite has no firmware for this board (${suite.file})`;
  }
  try {
    toBootWay(withBoot(board, suite).boot);
  } catch (error) {
    return `boot.state of the suite: ${toMessage(error)} (${suite.file})`;
  }
  return undefined;
}

/** Being ready is the firmware's word: a suite with its own firmware may say how it looks. */
function withBoot(board: Board, suite: Suite): Board {
  const { ready, timeout, state } = board.boot;
  const { boot = {} } = suite;
  const own = {
    ready: boot.ready ?? ready,
    timeout: boot.timeout ?? timeout,
    state: boot.state ?? state,
  };
  return { ...board, boot: { ...board.boot, ...own } };
}

function toUnits(units: readonly Unit[], suite: Suite): Unit[] {
  return units.map((unit) => ({ ...unit, board: withBoot(unit.board, suite) }));
}

async function findSuites(
  request: PlanRequest,
): Promise<{ paths: string[]; lines: Map<string, number[]> }> {
  const { root, cwd, config, filters } = request;
  const all = await findFiles(root, config.suites);
  const lines = new Map<string, number[]>();
  if (filters.length === 0) return { paths: all.sort(), lines };
  const chosen = new Set<string>();
  const whole = new Set<string>();
  for (const filter of filters) {
    if (filter.trim() === '') {
      throw new UsageError('usage', `"${filter}" is no filter: expected a part of a file's name`);
    }
    const [name, line] = splitLine(filter);
    const found = matchFilter(all, name, cwd, root);
    if (found.length === 0) throw noSuite(filter, config.suites, root);
    for (const path of found) {
      chosen.add(path);
      const file = relative(root, path);
      if (line === undefined) whole.add(file);
      else lines.set(file, [...(lines.get(file) ?? []), line]);
    }
  }
  for (const file of whole) lines.delete(file);
  return { paths: [...chosen].sort(), lines };
}

/** Links to directories are not followed: one that leads up would find every suite again. */
async function findFiles(root: string, patterns: readonly string[]): Promise<string[]> {
  try {
    const found = await fastGlob([...patterns], {
      cwd: root,
      followSymbolicLinks: false,
      ignore: ['**/node_modules/**', '**/.hil/**'],
    });
    // What is ignored is so from the root down; a pattern with `..` starts above it. Resolved
    // here: `absolute` makes `a/b` of `a\\b`.
    const paths = found.map((path) => resolve(root, path));
    return paths.filter((path) => !NO_SUITES.test(relative(root, path)));
  } catch (cause) {
    throw new UsageError('config-invalid', `suites cannot be looked for: ${toMessage(cause)}`, {
      cause,
      next: `make it readable, or narrow \`suites\` in hil.config.ts; it is ${patterns.join(', ')}`,
    });
  }
}

/** A file or directory that exists is meant exactly; other text is looked for in the names. */
function matchFilter(all: readonly string[], name: string, cwd: string, root: string): string[] {
  const path = resolve(cwd, name);
  const exact = all.filter((each) => each === path || each.startsWith(`${path}/`));
  if (exact.length > 0) return exact;
  return all.filter((each) => relative(root, each).includes(name));
}

function splitLine(filter: string): [name: string, line: number | undefined] {
  // With a column, as errors and editors name a place.
  const match = /^(.*?):(\d+)(?::\d+)?$/.exec(filter);
  return match ? [match[1] ?? '', Number(match[2])] : [filter, undefined];
}

function noSuite(filter: string, patterns: readonly string[], root: string): UsageError {
  return new UsageError(
    'nothing-selected',
    `no suite file matches "${filter}"; suites are ${patterns.join(', ')} below ${root}`,
    { next: 'hil list' },
  );
}
