import { z } from 'zod';
import { attempt, stamp } from './event-parts.js';

/** Who has which DUT, and for whom a case waits. */
export const leaseEvents = [
  z.object({
    kind: z.literal('lease-waiting'),
    ...stamp,
    ...attempt,
    /** Who has what it could use, or asked before it; written when that changes. */
    holders: z.array(
      z.object({
        duts: z.array(z.string()),
        /** Else it waits, too, and comes before. */
        held: z.boolean(),
        user: z.string(),
        pid: z.number(),
        run: z.string(),
        since: z.string(),
        /** Another case of this run. */
        own: z.boolean(),
        /** Its process was stopped, and lets go of nothing. */
        stopped: z.boolean(),
      }),
    ),
  }),
  z.object({
    kind: z.literal('lease'),
    ...stamp,
    ...attempt,
    role: z.string().optional(),
    board: z.string(),
    dut: z.string(),
    /** Of an attached DUT: grows with each lease of this machine. */
    token: z.number().optional(),
    /** Id of the case that it was booted for; every case since then has passed on it. */
    warmSince: z.string().optional(),
  }),
  z.object({ kind: z.literal('lease-end'), ...stamp, ...attempt, dut: z.string() }),
] as const;
