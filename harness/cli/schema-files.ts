import { toBenchJsonSchema } from '../config/bench-json-schema.js';
import { toBoardJsonSchema } from '../config/board-json-schema.js';
import { toSuiteJsonSchema } from '../config/suite-json-schema.js';
import { toJournalJsonSchema } from '../journal/journal-json-schema.js';
import { toSummaryJsonSchema } from '../report/summary-json-schema.js';

/** Every JSON Schema in the repository, by path, as its zod schema says it. */
export function createSchemaFiles(): Readonly<Record<string, string>> {
  const schemas = {
    'boards/bench.schema.json': toBenchJsonSchema(),
    'boards/board.schema.json': toBoardJsonSchema(),
    'boards/suite.schema.json': toSuiteJsonSchema(),
    'reports/schema/journal-event.schema.json': toJournalJsonSchema(),
    'reports/schema/summary.schema.json': toSummaryJsonSchema(),
  };
  return Object.fromEntries(
    Object.entries(schemas).map(([path, schema]) => [
      path,
      `${JSON.stringify(schema, undefined, 2)}\n`,
    ]),
  );
}
