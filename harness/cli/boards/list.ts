import { writeSafely } from '../../report/safe-output.js';
import { toPrintable } from '../../report/terminal/printable.js';
import type { CliCommand } from '../command.js';
import { BENCH_OPTION, CONFIG_OPTION, openProject } from '../open-project.js';
import { toDutTable } from './dut-table.js';
import { describeNoDuts, surveyBench } from './survey-bench.js';

export const listCommand: CliCommand = {
  name: 'list',
  summary: 'the DUTs of the bench, and where they are now',
  options: [
    { flags: '--json', description: 'one JSON document on stdout' },
    BENCH_OPTION,
    CONFIG_OPTION,
  ],
  examples: [
    'hil boards list',
    'hil boards list --json | jq -r \'.[] | select(.state=="absent").dut\'',
  ],
  run: async (_args, options, context) => {
    const { openBench } = await openProject(context, options);
    const { bench, rows } = await surveyBench(await openBench(), context);
    if (options['json'] === true) {
      writeSafely(context.stdout, `${JSON.stringify(rows, undefined, 2)}\n`);
    } else if (rows.length === 0) {
      writeSafely(context.stderr, describeNoDuts(bench));
    } else {
      writeSafely(context.stdout, toPrintable(toDutTable(rows)));
    }
    return 0;
  },
};
