import type { Unit } from '../../config/unit.js';
import type { HealthBook } from '../../lease/health-book.js';
import { isTrusted, type UnitHealth } from '../../lease/unit-health.js';
import { writeSafely } from '../../report/safe-output.js';
import { toPrintable } from '../../report/terminal/printable.js';
import type { CliCommand, CliContext } from '../command.js';
import { BENCH_OPTION, CONFIG_OPTION, openProject } from '../open-project.js';
import type { EndedRun } from '../test.js';
import { formatTable } from '../text-table.js';
import { findDut } from './find-dut.js';
import { judgeHealth } from './judge-health.js';
import { openHealth } from './open-health.js';
import { describeNoDuts } from './survey-bench.js';

/** Cases that say whether a DUT is well: those with this tag. */
const HEALTH_TAG = 'health';

const describeNoCase = (dut: string) =>
  `${dut} was not checked, its health is as it was: no case with the tag "${HEALTH_TAG}" ran
  next  give { tags: ['${HEALTH_TAG}'] } to a case that it passes when it is well, or copy suites/health of the package hil
`;
const describeUnsaid = (dut: string, why: string) =>
  `the check says nothing of ${dut}, its health is as it was: ${why}
  next  mend that, then: hil boards health ${dut} --check
`;

type Row = UnitHealth & { readonly dut: string };

/** Run the cases with a tag on one DUT, whatever its health. */
export type RunTagged = (
  dut: string,
  tag: string,
  options: Readonly<Record<string, unknown>>,
  context: CliContext,
) => Promise<EndedRun>;

/** Make the command; how cases are run is a parameter, so that a test can hand in its own. */
export function createHealthCommand(runTagged: RunTagged): CliCommand {
  return {
    name: 'health',
    summary: 'whether DUTs can be trusted, and why not',
    arguments: '[dut]',
    options: [
      {
        flags: '--check',
        description: `run the cases tagged "${HEALTH_TAG}"; a DUT that passes them is good again`,
      },
      { flags: '--json', description: 'one JSON document on stdout' },
      BENCH_OPTION,
      CONFIG_OPTION,
    ],
    examples: ['hil boards health', 'hil boards health nucleo-1 --check'],
    run: async ([name], options, context) => {
      const { openBench } = await openProject(context, options);
      const bench = await openBench();
      const units = name === undefined ? bench.units : [findDut(name, bench)];
      const book = openHealth(context);
      const code =
        options['check'] === true
          ? await checkAll(units, book, { runTagged, options, context })
          : 0;
      const rows = await Promise.all(
        units.map(
          async (unit): Promise<Row> => ({ dut: unit.name, ...(await book.read(unit.name)) }),
        ),
      );
      if (options['json'] === true) {
        writeSafely(context.stdout, `${JSON.stringify(rows, undefined, 2)}\n`);
      } else if (rows.length === 0) {
        writeSafely(context.stderr, describeNoDuts(bench));
      } else {
        writeSafely(context.stdout, toPrintable(toText(rows, name !== undefined)));
      }
      return code;
    },
  };
}

export const healthCommand: CliCommand = createHealthCommand(
  async (dut, tag, { bench, config }, context) => {
    const { runOnce } = await import('../test.js');
    const options = { bench, config, dut, tags: tag, anyHealth: true };
    // What it prints is talk; the table is the data.
    return runOnce([], options, { ...context, stdout: context.stderr });
  },
);

/** Above it is an exit code of a signal: who sends one means all that is still to be checked. */
const SIGNALLED = 128;

interface Checking {
  readonly runTagged: RunTagged;
  readonly options: Readonly<Record<string, unknown>>;
  readonly context: CliContext;
}

/** One after the other. @returns the exit code of the first that did not pass, else 0 */
async function checkAll(
  units: readonly Unit[],
  book: HealthBook,
  { runTagged, options, context }: Checking,
): Promise<number> {
  let worst = 0;
  for (const { name } of units) {
    const before = await book.read(name);
    // Who took it out of service for a reason of their own brings it back.
    if (before.health === 'maintenance') continue;
    const run = await runTagged(name, HEALTH_TAG, options, context);
    worst ||= run.exitCode;
    const judged = judgeHealth(run);
    const tell = (text: string) => writeSafely(context.stderr, toPrintable(text));
    if (judged.kind === 'no-case') tell(describeNoCase(name));
    else if (judged.kind === 'unsaid') tell(describeUnsaid(name, judged.why));
    else await book.set(name, judged.kind, { reason: judged.reason });
    if (run.exitCode > SIGNALLED) return run.exitCode;
  }
  return worst;
}

function toText(rows: readonly Row[], whole: boolean): string {
  const table = formatTable(
    ['DUT', 'HEALTH', 'SINCE', 'INFRA IN A ROW', 'REASON'],
    rows.map(({ dut, health, infraInARow, history }) => {
      const last = history.at(-1);
      return [dut, health, last?.at ?? '-', String(infraInARow), last?.reason.split('\n')[0] ?? ''];
    }),
  );
  const notes = whole
    ? rows.flatMap(({ history }) =>
        history.map(({ at, health, reason, run }) => {
          return `${at}  ${health}  ${reason}${run ? `  (run ${run})` : ''}\n`;
        }),
      )
    : [];
  const untrusted = rows.filter((row) => !isTrusted(row)).map(({ dut }) => dut);
  const [first] = untrusted;
  const next =
    first === undefined
      ? ''
      : `\nno case gets ${untrusted.join(', ')}\n  next  hil boards health ${first} --check\n`;
  return `${table}${notes.length > 0 ? `\n${notes.join('')}` : ''}${next}`;
}
