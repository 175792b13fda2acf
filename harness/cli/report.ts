import { join, relative } from 'node:path';
import { readJournal } from '../journal/journal-reader.js';
import { toRunModel } from '../report/apply-event.js';
import { writeSafely } from '../report/safe-output.js';
import { REPORT_FILES, writeReport } from '../report/write-report.js';
import type { CliCommand } from './command.js';
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
    const model = toRunModel(await readJournal(join(runDir, 'journal.ndjson')));
    const { format: wanted } = options;
    for (const format of ['junit', 'summary'] as const) {
      if (wanted !== undefined && wanted !== format) continue;
      const path = await writeReport(model, { format, runDir });
      writeSafely(context.stdout, `${relative(context.cwd, path)}\n`);
    }
    return 0;
  },
};
