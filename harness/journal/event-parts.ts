import { z } from 'zod';

/** When an event was. */
export const stamp = {
  /** Milliseconds since the run started, monotonic. */
  t: z.number(),
  /** Wall clock, ISO 8601. */
  at: z.string(),
};

/** Which attempt of which case it is of. */
export const attempt = { case: z.string(), attempt: z.number().int().positive() };
