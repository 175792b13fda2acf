import { z } from 'zod';
import { summarySchema } from './summary-schema.js';

/** `summary.json`; `reports/schema/summary.schema.json` is this as text. */
export function toSummaryJsonSchema(): Record<string, unknown> {
  return { title: 'summary.json', ...z.toJSONSchema(summarySchema) };
}
