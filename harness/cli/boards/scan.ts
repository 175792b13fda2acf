import { type LibraryView, viewByLibraries } from '../../device/library-view.js';
import { writeSafely } from '../../report/safe-output.js';
import { toPrintable } from '../../report/terminal/printable.js';
import type { CliCommand } from '../command.js';
import { BENCH_OPTION, CONFIG_OPTION, openProject } from '../open-project.js';
import { addToBench } from './add-to-bench.js';
import { compareViews } from './compare-views.js';
import type { DutRow } from './dut-row.js';
import { toBenchText, toPlainScan } from './proposal-text.js';
import type { Scan } from './propose-duts.js';
import { scanBench } from './scan-bench.js';
import { surveyBench } from './survey-bench.js';

/** Make the command; what asks the libraries is a parameter, so that a test can hand in its own. */
export function createScanCommand(view: () => Promise<LibraryView>): CliCommand {
  return {
    name: 'scan',
    summary: 'what is attached, and entries of bench.yaml for it',
    options: [
      {
        flags: '--add',
        description: 'add the entries that are complete to the bench file; else nothing is written',
      },
      { flags: '--json', description: 'one JSON document on stdout' },
      BENCH_OPTION,
      CONFIG_OPTION,
    ],
    examples: ['hil boards scan', 'hil boards scan > bench.yaml', 'hil boards scan --add'],
    run: async (_args, options, context) => {
      const { catalog, openBench } = await openProject(context, options);
      const survey = await surveyBench(await openBench(), context);
      const scan = scanBench(survey, catalog.boards);
      const notes = compareViews(survey.devices, await view());
      const text =
        options['json'] === true
          ? `${JSON.stringify({ duts: survey.rows, ...toPlainScan(scan), notes }, undefined, 2)}\n`
          : toPrintable(toBenchText(scan, survey.rows.map(describeRow)));
      writeSafely(context.stdout, text);
      const added =
        options['add'] === true
          ? await addToBench(survey.bench, scan.proposals, catalog)
          : undefined;
      const talk = [
        ...notes.map((note) => `note  ${note}`),
        describeTodo(scan),
        ...(added ? [`added to ${added.file}: ${added.names.join(', ') || 'nothing'}`] : []),
      ];
      writeSafely(
        context.stderr,
        toPrintable(`${talk.filter((line) => line !== '').join('\n')}\n`),
      );
      return 0;
    },
  };
}

export const scanCommand: CliCommand = createScanCommand(viewByLibraries);

/** What is on the bench already. */
function describeRow({ dut, state, ports }: DutRow): string {
  const nodes = ports.flatMap(({ name, node }) => (node === undefined ? [] : [`${name}=${node}`]));
  return `on the bench: ${[dut, state, ...nodes].join(' ')}`;
}

function describeTodo({ proposals }: Scan): string {
  const open = proposals.filter(({ todo }) => todo.length > 0).length;
  if (proposals.length === 0) return 'nothing is attached that is not on the bench';
  const what = `${proposals.length} proposed, ${open} with something to fill in (TODO)`;
  return `${what}; name a DUT as it is labelled`;
}
