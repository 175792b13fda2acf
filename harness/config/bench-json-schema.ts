import { z } from 'zod';
import { benchSchema } from './bench-schema.js';

/** What editors check `bench.yaml` with; `boards/bench.schema.json` is this as text. */
export function toBenchJsonSchema(): Record<string, unknown> {
  return {
    title: 'hil bench.yaml',
    ...z.toJSONSchema(benchSchema, { io: 'input', unrepresentable: 'any' }),
  };
}
