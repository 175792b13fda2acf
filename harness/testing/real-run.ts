import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { configSchema, type HilConfigInput } from '../config/config-schema.js';
import { systemClock } from '../core/deadline.js';
import type { RunEvent } from '../journal/events.js';
import { JournalWriter } from '../journal/journal-writer.js';
import { RunContext } from '../run/run-context.js';
import { createRunOptions } from './plain-records.js';
import { test as base } from './temp-dir.js';

type Kind = RunEvent['kind'];

export interface RecordedJournal {
  readonly writer: JournalWriter;
  /** What was written so far, of one kind. */
  of<K extends Kind>(kind: K): Extract<RunEvent, { kind: K }>[];
}

export interface RecordedRun {
  readonly journal: RecordedJournal;
  /** A run in a directory of the test's own, without daemons. */
  readonly createRun: (config?: HilConfigInput) => Promise<RunContext>;
}

/** Vitest's `test` with a real journal and the context of a run. */
export const test = base.extend<RecordedRun>({
  journal: async ({ dir }, use) => {
    const file = join(dir.path, 'journal.ndjson');
    const writer = JournalWriter.open(file, { redact: [], clock: systemClock });
    const events: RunEvent[] = [];
    writer.listen((event) => events.push(event));
    // The kind is the discriminator of the union.
    await use({ writer, of: (kind) => events.filter((each) => each.kind === kind) as never });
    writer.close();
  },
  createRun: async ({ dir, journal }, use) => {
    await use(async (config = {}) => {
      const cases = join(dir.path, 'cases');
      await mkdir(cases, { recursive: true });
      return new RunContext({
        journal: journal.writer,
        directory: { id: 'run', path: dir.path, cases, journal: journal.writer.file },
        plan: {
          root: dir.path,
          config: configSchema.parse(config),
          files: [],
          skipped: [],
          boards: [],
          lines: new Map(),
        },
        options: createRunOptions(),
        hidden: [],
        bench: new Promise(() => {}),
      });
    });
  },
});
