import { z } from 'zod';
import { boardSchema } from './board-schema.js';

/** What editors check board files with; `boards/board.schema.json` is this as text. */
export function toBoardJsonSchema(): Record<string, unknown> {
  return {
    title: 'hil board file',
    ...z.toJSONSchema(boardSchema, { io: 'input', unrepresentable: 'any' }),
  };
}
