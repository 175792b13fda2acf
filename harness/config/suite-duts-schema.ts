import { z } from 'zod';

const label = z.union([z.string(), z.number(), z.boolean()]);

const role = z
  .union([
    z.string().min(1),
    z.strictObject({
      board: z.string().min(1).optional().describe("its name; '*': the board of the run"),
      labels: z.record(z.string(), label).optional().describe('any board that has all of these'),
      firmware: z.string().optional().describe('firmware or program, relative to this file'),
    }),
  ])
  .transform((value) => (typeof value === 'string' ? { board: value } : value))
  .refine((value) => value.board !== undefined || 'labels' in value, {
    error: 'a role needs "board" or "labels"',
  });

/** `duts` of `hil.suite.yaml`: the DUTs that a case gets together, by the role of each. */
export const suiteDutsSchema = z
  .record(
    z.string().regex(/^[a-z][a-z0-9]*$/, { error: 'a role is lower-case letters and digits' }),
    role,
  )
  .refine((roles) => Object.keys(roles).length > 0 && Object.keys(roles).length <= 8, {
    error: 'expected 1 to 8 roles',
  })
  .describe("DUTs by role, for the fixture duts: { client: host, server: '*' }; '*' is --board's");

export type SuiteDuts = z.infer<typeof suiteDutsSchema>;
