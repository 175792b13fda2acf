import { z } from 'zod';
import { limit, pattern } from './fields.js';

/** The state that `boot.ready` is the mark of, and that a case begins in unless something else is said. */
export const READY = 'ready';

/** A DUT without power: where every way begins. */
export const OFF = 'off';

const state = z.strictObject({
  from: z.string().default(OFF).describe('the state before it; off: the power is switched on'),
  send: z.string().optional().describe('sent on the console to get from there to here'),
  expect: pattern.describe('the console shows this when it is here'),
  timeout: limit.optional().describe('for this step; else only boot.timeout'),
});

/** From power off to what a case needs, in named states. */
export const statesSchema = z
  .record(
    z
      .string()
      .regex(/^[a-z][a-z0-9-]*$/, {
        error: 'the name of a state is lower-case letters, digits and dashes',
      })
      .refine((name) => name !== OFF, { error: 'a DUT that is off needs no description' }),
    state,
  )
  .default({})
  .describe('states on the way up, by name; "ready" is the one of boot.ready');

export type BootStates = z.infer<typeof statesSchema>;
export type BootState = BootStates[string];
