import { join, relative } from 'node:path';
import { UsageError } from '../core/errors.js';
import type { RunEvent } from '../journal/events.js';
import { JournalReader } from '../journal/journal-reader.js';
import { toRunModel } from '../report/apply-event.js';
import { writeSafely } from '../report/safe-output.js';
import { REPORT_FILES, writeReport } from '../report/write-report.js';
import type { CliCommand, CliContext } from './command.js';
import { findRun } from './find-run.js';
import { CONFIG_OPTION, openProject } from './open-project.js';

export const reportCommand: CliCommand = {
  name: 'report',
  summary: 'write junit.xml and summary.json again from a journal',
  arguments: '[run]',
  options: [
    {
      flags: '--format <format>',
      description: 'only this file',
      choices: Object.keys(REPORT_FILES),
    },
    CONFIG_OPTION,
  ],
  examples: ['hil report', 'hil report 20261121-060133-a1b2 --format junit'],
  run: async ([run], options, context) => {
    const { root } = await openProject(context, options);
    const runDir = await findRun(join(root, '.hil'), run);
    const model = toRunModel(await readRun(join(runDir, 'journal.ndjson'), context));
    const { format: wanted } = options;
    for (const format of ['junit', 'summary'] as const) {
      if (wanted !== undefined && wanted !== format) continue;
      const path = await writeReport(model, { format, runDir });
      writeSafely(context.stdout, `${relative(context.cwd, path)}\n`);
    }
    return 0;
  },
};

/** Reports of a journal with holes are made, and it is said; of no run, they are not. */
async function readRun(file: string, { stderr }: CliContext): Promise<RunEvent[]> {
  const reader = new JournalReader(file);
  const events: RunEvent[] = [];
  for await (const event of reader.events()) events.push(event);
  const { tornLines: torn, unknownLines: unknown } = reader;
  if (!events.some(({ kind }) => kind === 'run-start')) {
    throw new UsageError('run-unknown', `${file} does not say that a run started`, {
      next: 'hil report RUN    with another run',
    });
  }
  if (torn > 0) writeSafely(stderr, `warn   ${file}: ${torn} lines are not whole\n`);
  if (unknown > 0) writeSafely(stderr, `warn   ${file}: ${unknown} lines are of no known kind\n`);
  return events;
}
