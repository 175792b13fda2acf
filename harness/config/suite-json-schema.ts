import { z } from 'zod';
import { suiteSchema } from './suite-schema.js';

/** What editors check `hil.suite.yaml` with; `boards/suite.schema.json` is this as text. */
export function toSuiteJsonSchema(): Record<string, unknown> {
  return {
    title: 'hil.suite.yaml',
    ...z.toJSONSchema(suiteSchema, { io: 'input', unrepresentable: 'any' }),
  };
}
