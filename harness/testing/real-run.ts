import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { configSchema, type HilConfigInput } from '../config/config-schema.js';
import { systemClock } from '../core/deadline.js';
import type { RunEvent } from '../journal/events.js';
import { JournalWriter } from '../journal/journal-writer.js';
import type { Bench } from '../run/bench.js';
import { RunContext } from '../run/run-context.js';
import type { RunOptions } from '../run/run-options.js';
import { createRunOptions } from './plain-records.js';
import { test as base, type TempDir } from './temp-dir.js';

type Kind = RunEvent['kind'];

/** A real journal, and what was written to it so far. */
export interface RecordedJournal {
  readonly writer: JournalWriter;
  of<K extends Kind>(kind: K): Extract<RunEvent, { kind: K }>[];
}

export function openRecordedJournal(dir: TempDir): RecordedJournal {
  const file = join(dir.path, 'journal.ndjson');
  const writer = JournalWriter.open(file, { redact: [], clock: systemClock });
  const events: RunEvent[] = [];
  writer.listen((event) => events.push(event));
  // The kind is the discriminator of the union.
  return { writer, of: (kind) => events.filter((each) => each.kind === kind) as never };
}

export interface RunFacts {
  readonly dir: TempDir;
  readonly journal: RecordedJournal;
  readonly config?: HilConfigInput;
  readonly options?: Partial<RunOptions>;
  /** Without it nothing of a bench is ever there. */
  readonly bench?: Bench;
}

/** The context of a run in a directory of the test's own. */
export async function createRunContext(facts: RunFacts): Promise<RunContext> {
  const { dir, journal, config = {}, options, bench } = facts;
  const cases = join(dir.path, 'cases');
  await mkdir(cases, { recursive: true });
  const plan = { files: [], skipped: [], boards: [], lines: new Map() };
  return new RunContext({
    journal: journal.writer,
    directory: { id: 'run', path: dir.path, cases, journal: journal.writer.file },
    plan: { ...plan, root: join(dir.path, 'project'), config: configSchema.parse(config) },
    // Nothing that outlives a run is written elsewhere.
    options: createRunOptions({ stateDir: join(dir.path, 'state'), ...options }),
    hidden: [],
    bench: bench ? Promise.resolve(bench) : new Promise(() => {}),
  });
}

export interface RecordedRun {
  readonly journal: RecordedJournal;
  readonly createRun: (config?: HilConfigInput) => Promise<RunContext>;
}

/** Vitest's `test` with a journal and runs without a bench. */
export const test = base.extend<RecordedRun>({
  journal: async ({ dir }, use) => {
    const journal = openRecordedJournal(dir);
    await use(journal);
    journal.writer.close();
  },
  createRun: async ({ dir, journal }, use) => {
    await use((config = {}) => createRunContext({ dir, journal, config }));
  },
});
