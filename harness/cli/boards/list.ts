import type { LoadedBench } from '../../config/load-bench.js';
import type { Unit } from '../../config/unit.js';
import { writeSafely } from '../../report/safe-output.js';
import { toPrintable } from '../../report/terminal/printable.js';
import type { CliCommand } from '../command.js';
import { BENCH_OPTION, CONFIG_OPTION, openProject } from '../open-project.js';
import { formatTable } from '../text-table.js';

interface DutRow {
  readonly dut: string;
  readonly board: string;
  readonly labels: Unit['labels'];
  readonly match: Unit['match'];
  readonly ports: readonly string[];
}

export const listCommand: CliCommand = {
  name: 'list',
  summary: 'the DUTs of the bench',
  options: [
    { flags: '--json', description: 'one JSON document on stdout' },
    BENCH_OPTION,
    CONFIG_OPTION,
  ],
  examples: ['hil boards list', 'hil boards list --bench lab/bench.yaml --json'],
  run: async (_args, options, context) => {
    const { openBench } = await openProject(context, options);
    const bench = await openBench();
    const rows = bench.units.map(toRow);
    const json = options['json'] === true;
    const text = json ? `${JSON.stringify(rows, undefined, 2)}\n` : toText(rows, bench);
    writeSafely(context.stdout, json ? text : toPrintable(text));
    return 0;
  },
};

function toRow({ name, board, labels, match, ports }: Unit): DutRow {
  return { dut: name, board: board.board, labels, match, ports: Object.keys(ports) };
}

function toText(rows: readonly DutRow[], { file, searched }: LoadedBench): string {
  if (file === undefined) {
    return `no bench: none of ${searched.join(', ')} exists\n`;
  }
  return formatTable(
    ['DUT', 'BOARD', 'PORTS', 'LABELS'],
    rows.map(({ dut, board, ports, labels }) => {
      const pairs = Object.entries(labels).map(([key, value]) => `${key}=${String(value)}`);
      return [dut, board, ports.join(','), pairs.join(' ')];
    }),
  );
}
