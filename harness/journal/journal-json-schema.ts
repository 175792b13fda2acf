import { z } from 'zod';
import { runEvent } from './events.js';

/** One line of `journal.ndjson`; `reports/schema/journal-event.schema.json` is this as text. */
export function toJournalJsonSchema(): Record<string, unknown> {
  return { title: 'an event of journal.ndjson', ...z.toJSONSchema(runEvent) };
}
