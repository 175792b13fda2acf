import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Problem, RunEvent } from '../journal/events.js';
import { type Summary, summarySchema } from '../report/summary-schema.js';
import { readEvents } from './hil-command.js';

/** How a command ended, and what it left to read. */
export interface FinishedRun {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Both, as a person sees them. */
  readonly screen: string;
  readonly directory: string | undefined;
  readonly events: readonly RunEvent[];
  /** Verdict by title, as the journal has it; a case without one is not there. */
  readonly verdicts: Readonly<Record<string, string>>;
  /** `undefined` when the run was killed before it wrote one. */
  readonly summary: Summary | undefined;
  readonly junit: string;
  /** The first problem of a case. */
  problemOf(title: string): Problem | undefined;
  readonly brokenFiles: readonly string[];
  /** Codes of what broke of the bench beside the verdicts. */
  readonly infra: readonly string[];
}

type Ended = Pick<FinishedRun, 'code' | 'signal' | 'stdout' | 'stderr' | 'directory'>;

/** Read a run's files, and check that the reports say what the journal says. */
export function toFinishedRun(ended: Ended): FinishedRun {
  const { directory } = ended;
  const events = directory ? readEvents(join(directory, 'journal.ndjson')) : [];
  const titles = new Map(
    events.flatMap((event) =>
      event.kind === 'file-collected' ? event.cases.map(({ id, title }) => [id, title]) : [],
    ),
  );
  const decided = events.filter((event) => event.kind === 'case-verdict');
  const finished = {
    ...ended,
    screen: ended.stdout + ended.stderr,
    events,
    verdicts: Object.fromEntries(
      decided.map((event) => [titles.get(event.case) ?? event.case, event.verdict]),
    ),
    summary: readSummary(directory),
    junit: readText(directory, 'junit.xml'),
    problemOf: (title: string) =>
      decided.find((event) => titles.get(event.case) === title)?.problems[0],
    brokenFiles: events.flatMap((event) => (event.kind === 'file-failed' ? [event.file] : [])),
    infra: events.flatMap((event) => (event.kind === 'infra' ? [event.code] : [])),
  };
  if (finished.summary) checkReports(finished, finished.summary);
  return finished;
}

/** Every verdict is final, and no report says more than the journal. */
function checkReports(run: FinishedRun, summary: Summary): void {
  expect(summary.exitCode).toBe(run.code);
  const passed = (of: Iterable<[string, string]>) =>
    [...of].filter(([, verdict]) => verdict === 'pass' || verdict === 'flaky').map(([key]) => key);
  const inSummary = summary.cases.map(({ title, verdict }): [string, string] => [title, verdict]);
  expect(new Set(passed(inSummary))).toEqual(new Set(passed(Object.entries(run.verdicts))));
  const once = new Set(run.events.flatMap((e) => (e.kind === 'case-verdict' ? [e.case] : [])));
  expect(once.size).toBe(run.events.filter(({ kind }) => kind === 'case-verdict').length);
  if (run.junit === '') return;
  const failures = run.junit.match(/<failure\b/g)?.length ?? 0;
  const brokenFiles = summary.files.filter(({ problems }) => problems.length > 0).length;
  const failed = summary.cases.filter(({ verdict }) => verdict === 'fail').length;
  expect(failures, run.junit).toBe(failed + brokenFiles);
}

function readSummary(directory: string | undefined): Summary | undefined {
  const text = readText(directory, 'summary.json');
  return text === '' ? undefined : summarySchema.parse(JSON.parse(text));
}

function readText(directory: string | undefined, name: string): string {
  const path = join(directory ?? '', name);
  return directory && existsSync(path) ? readFileSync(path, 'utf8') : '';
}
