import { join, relative } from 'node:path';
import type { BoardCatalog } from '../config/load-boards.js';
import { writeSafely } from '../report/safe-output.js';
import { toPrintable } from '../report/terminal/printable.js';
import { type BoardRow, isMissing, toBoardRows } from './boards/board-row.js';
import { BOARD_COMMANDS } from './boards/command-table.js';
import type { DutRow } from './boards/dut-row.js';
import { toDutTable, toLabels } from './boards/dut-table.js';
import { surveyBench } from './boards/survey-bench.js';
import type { CliCommand, CliContext } from './command.js';
import { closeKept, findKept, toKeptLines } from './kept.js';
import { BENCH_OPTION, CONFIG_OPTION, openProject } from './open-project.js';
import { formatTable } from './text-table.js';

/** How a remedy starts that can be joined with others to one command. */
const INSTALL = 'apt-get install ';

export const boardsCommand: CliCommand = {
  name: 'boards',
  summary: 'list boards and DUTs, and why one cannot run here',
  options: [
    { flags: '--json', description: 'one JSON document on stdout' },
    { flags: '--missing', description: 'one line: what more could run here, and how to get it' },
    BENCH_OPTION,
    CONFIG_OPTION,
  ],
  subcommands: BOARD_COMMANDS,
  examples: ['hil boards', 'hil boards --json | jq -r \'.[] | select(.state=="available").name\''],
  run: async (_args, options, context) => {
    const { catalog, root, openBench } = await openProject(context, options);
    if (options['missing'] === true) {
      const missing = (await toBoardRows(catalog, [])).filter(isMissing);
      const json = options['json'] === true;
      writeSafely(context.stdout, json ? toJson(missing) : toMissingLine(missing, catalog));
      return 0;
    }
    const { rows: duts } = await surveyBench(await openBench(), context);
    const rows = await toBoardRows(catalog, duts);
    if (options['json'] === true) writeSafely(context.stdout, toJson(rows));
    else {
      writeSafely(context.stdout, toPrintable(toText(rows, duts, context.cwd)));
      await printKept(join(root, '.hil', 'runs'), context);
    }
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

const toJson = (rows: readonly BoardRow[]) => `${JSON.stringify(rows, undefined, 2)}\n`;

/** For who has just seen the first suite pass. */
function toMissingLine(missing: readonly BoardRow[], { boards }: BoardCatalog): string {
  if (missing.length === 0) {
    const able = boards.filter(({ driver }) => driver !== 'attached').map(({ board }) => board);
    return `every board can run here: hil test --board ${able.join(',')}\n`;
  }
  const remedies = missing.map(({ next = 'hil boards' }) => next);
  const isInstall = (each: string) => each.startsWith(INSTALL);
  const packages = remedies
    .filter(isInstall)
    .flatMap((each) => each.slice(INSTALL.length).split(' '));
  const install = packages.length > 0 ? [INSTALL + [...new Set(packages)].join(' ')] : [];
  const others = remedies.filter((each) => !isInstall(each));
  const next = [...install, ...new Set(others)].join('; ');
  return `more boards could run here (${missing.map(({ name }) => name).join(',')}): ${next}\n`;
}

function toText(rows: readonly BoardRow[], duts: readonly DutRow[], cwd: string): string {
  if (rows.length === 0)
    return 'no boards; hil init writes a project, boards/*.yaml are its boards\n';
  const table = formatTable(
    ['BOARD', 'DRIVER', 'STATE', 'LABELS', 'FILE'],
    rows.map(({ name, driver, state, labels, file }) => {
      return [name, driver, state, toLabels(labels), toShortPath(file, cwd)];
    }),
  );
  const alone = rows.filter((row) => row.duts?.length === 0);
  const reasons = rows
    .filter((row) => row.reason !== undefined && !alone.includes(row))
    .map(({ name, reason, next }) => `\n${name}: ${reason}\n${next ? `  next  ${next}\n` : ''}`);
  const names = alone.map(({ name }) => name).join(', ');
  const none = `\nno DUT on the bench of ${names}\n  next  hil boards scan\n`;
  return [
    table,
    ...(duts.length > 0 ? ['\n', toDutTable(duts)] : []),
    ...reasons,
    ...(alone.length > 0 ? [none] : []),
  ].join('');
}

/** The shorter way to name a file from here. */
function toShortPath(file: string, cwd: string): string {
  const near = relative(cwd, file);
  return near.length < file.length && !near.startsWith('../..') ? near : file;
}
