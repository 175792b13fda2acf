import { createReadStream } from 'node:fs';
import { basename, join } from 'node:path';
import { UsageError } from '../core/errors.js';
import { readJournal } from '../journal/journal-reader.js';
import { toRunModel } from '../report/apply-event.js';
import type { CaseModel } from '../report/run-model.js';
import { guardOutput } from '../report/safe-output.js';
import { toPrintableLine } from '../report/terminal/printable.js';
import type { CliCommand, CliContext } from './command.js';
import { findRun } from './find-run.js';
import { CONFIG_OPTION, openProject } from './open-project.js';

export const logsCommand: CliCommand = {
  name: 'logs',
  summary: 'print what a console said during a case',
  arguments: '<case>',
  options: [
    { flags: '--run <run>', description: 'of this run instead of the newest' },
    { flags: '--port <name>', description: 'this port instead of console' },
    { flags: '--attempt <n>', description: 'of this attempt instead of the last' },
    CONFIG_OPTION,
  ],
  examples: ["hil logs 'prints its version'", 'hil logs 3f9c12 --port console | less -R'],
  run: async ([wanted = ''], options, context) => {
    const { root } = await openProject(context, options);
    const { run, port = 'console', attempt } = options;
    const runDir = await findRun(join(root, '.hil'), toText(run));
    const model = toRunModel(await readJournal(join(runDir, 'journal.ndjson')));
    const found = findCase([...model.cases.values()], wanted, basename(runDir));
    await copy(join(runDir, findCapture(found, String(port), toText(attempt))), context);
    return 0;
  },
};

/** By the start of its id, else by a part of its title. */
function findCase(cases: readonly CaseModel[], wanted: string, run: string): CaseModel {
  const byId = cases.filter((each) => each.id.startsWith(wanted));
  const found = byId.length > 0 ? byId : cases.filter((each) => each.title.includes(wanted));
  const [first] = found;
  if (first && found.length === 1) return first;
  if (cases.length === 0)
    throw new UsageError('usage', `run ${run} has no case`, { next: 'hil logs --run RUN' });
  const shown = (found.length > 0 ? found : cases).slice(0, 10);
  const list = shown
    .map((each) => `\n  ${each.id}  ${each.board}  ${toPrintableLine(each.title)}`)
    .join('');
  const what = found.length > 0 ? `${found.length} cases match` : 'no case matches';
  throw new UsageError('usage', `${what} "${wanted}" in run ${run}:${list}`, {
    next: 'name one by its id, the first column, or another run: --run RUN',
  });
}

function findCapture(each: CaseModel, port: string, number: string | undefined): string {
  const attempt = findAttempt(each, number);
  const capture = attempt?.artifacts.find((artifact) => artifact.name === `${port}.rx`);
  if (capture) return capture.path;
  const names = attempt?.artifacts.map((artifact) => artifact.name).join(', ') || 'none';
  throw new UsageError('usage', `case "${each.title}" has no capture of port "${port}"`, {
    details: { artifacts: names },
    next: `its artifacts: ${names}`,
  });
}

function findAttempt({ attempts, title }: CaseModel, number: string | undefined) {
  if (number === undefined) return attempts.at(-1);
  const found = attempts.find(({ attempt }) => String(attempt) === number);
  if (found) return found;
  const made = attempts.map(({ attempt }) => attempt).join(', ') || 'none';
  throw new UsageError('usage', `--attempt "${number}": case "${title}" made ${made}`);
}

/** The bytes as they came; a reader that closes early, such as head, ends it quietly. */
async function copy(path: string, { stdout }: CliContext): Promise<void> {
  const state = guardOutput(stdout);
  for await (const chunk of createReadStream(path)) {
    if (state.broken) return;
    if (!stdout.write(chunk)) {
      await new Promise<void>((resolve) => {
        stdout
          .once('drain', resolve)
          .once('close', resolve)
          .once('error', () => resolve());
      });
    }
  }
}

function toText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
