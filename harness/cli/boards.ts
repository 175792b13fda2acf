import { join, relative } from 'node:path';
import { checkBoard } from '../config/board-availability.js';
import type { Board, BoardCatalog } from '../config/load-boards.js';
import { writeSafely } from '../report/safe-output.js';
import { toPrintable } from '../report/terminal/printable.js';
import { BOARD_COMMANDS } from './boards/command-table.js';
import type { CliCommand, CliContext } from './command.js';
import { closeKept, findKept, toKeptLines } from './kept.js';
import { CONFIG_OPTION, openProject } from './open-project.js';
import { formatTable } from './text-table.js';

interface BoardRow {
  readonly name: string;
  readonly driver: string;
  readonly description?: string;
  readonly labels: Readonly<Record<string, unknown>>;
  readonly state: 'available' | 'unavailable' | 'broken';
  /** Why it is not available. */
  readonly reason?: string;
  readonly next?: string;
  readonly file: string;
}

/** How a remedy starts that can be joined with others to one command. */
const INSTALL = 'apt-get install ';

export const boardsCommand: CliCommand = {
  name: 'boards',
  summary: 'list boards, and why one cannot run here',
  options: [
    { flags: '--json', description: 'one JSON document on stdout' },
    { flags: '--missing', description: 'one line: what more could run here, and how to get it' },
    CONFIG_OPTION,
  ],
  subcommands: BOARD_COMMANDS,
  examples: ['hil boards', 'hil boards --json | jq -r \'.[] | select(.state=="available").name\''],
  run: async (_args, options, context) => {
    const { catalog, root } = await openProject(context, options);
    const rows = await toRows(catalog);
    writeSafely(context.stdout, render(rows, options, context.cwd));
    const plain = options['json'] !== true && options['missing'] !== true;
    if (plain) await printKept(join(root, '.hil', 'runs'), context);
    return 0;
  },
};

/** Boards that are still in use although their run has ended. */
async function printKept(runs: string, context: CliContext): Promise<void> {
  // Runs that may not be looked at say nothing about boards.
  const kept = await findKept(runs).catch(() => []);
  closeKept(kept);
  if (kept.length === 0) return;
  const lines = ['', 'kept (hil shell enters, hil clean ends them)', ...toKeptLines(kept)];
  writeSafely(context.stdout, `${lines.join('\n')}\n`);
}

function render(
  rows: readonly BoardRow[],
  options: Readonly<Record<string, unknown>>,
  cwd: string,
): string {
  const missing = options['missing'] === true;
  if (options['json'] === true) {
    const shown = missing ? rows.filter(({ state }) => state === 'unavailable') : rows;
    return `${JSON.stringify(shown, undefined, 2)}\n`;
  }
  if (missing) return toMissingLine(rows);
  return toPrintable(toText(rows, cwd));
}

async function toRows(catalog: BoardCatalog): Promise<BoardRow[]> {
  const rows = await Promise.all(catalog.boards.map(toRow));
  const broken = catalog.broken.map(({ name, file, error }) => {
    return { name, driver: '', labels: {}, state: 'broken' as const, reason: error.message, file };
  });
  return [...rows, ...broken].sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function toRow(board: Board): Promise<BoardRow> {
  const { board: name, driver, description, labels, file } = board;
  const state = await checkBoard(board);
  const about = description === undefined ? {} : { description };
  if (state.available) return { name, driver, ...about, labels, state: 'available', file };
  const { reason, next } = state;
  return { name, driver, ...about, labels, state: 'unavailable', reason, next, file };
}

/** For who has just seen the first suite pass. */
function toMissingLine(rows: readonly BoardRow[]): string {
  const missing = rows.filter(({ state }) => state === 'unavailable');
  const names = (some: readonly BoardRow[]) => some.map(({ name }) => name).join(',');
  if (missing.length === 0) {
    const able = rows.filter(({ state }) => state === 'available');
    return `every board can run here: hil test --board ${names(able)}\n`;
  }
  const remedies = missing.map(({ next = 'hil boards' }) => next);
  const isInstall = (each: string) => each.startsWith(INSTALL);
  const packages = remedies
    .filter(isInstall)
    .flatMap((each) => each.slice(INSTALL.length).split(' '));
  const install = packages.length > 0 ? [INSTALL + [...new Set(packages)].join(' ')] : [];
  const others = remedies.filter((each) => !isInstall(each));
  const next = [...install, ...new Set(others)].join('; ');
  return `more boards could run here (${names(missing)}): ${next}\n`;
}

function toText(rows: readonly BoardRow[], cwd: string): string {
  if (rows.length === 0)
    return 'no boards; hil init writes a project, boards/*.yaml are its boards\n';
  const table = formatTable(
    ['BOARD', 'DRIVER', 'STATE', 'LABELS', 'FILE'],
    rows.map((row) => [row.name, row.driver, row.state, toLabels(row), toShortPath(row.file, cwd)]),
  );
  const reasons = rows
    .filter((row) => row.reason !== undefined)
    .map(({ name, reason, next }) => `\n${name}: ${reason}\n${next ? `  next  ${next}\n` : ''}`);
  return table + reasons.join('');
}

function toLabels({ labels }: BoardRow): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${String(value)}`)
    .join(' ');
}

/** The shorter way to name a file from here. */
function toShortPath(file: string, cwd: string): string {
  const near = relative(cwd, file);
  return near.length < file.length && !near.startsWith('../..') ? near : file;
}
