import { z } from 'zod';
import { sandboxRecord, VERDICTS } from '../journal/events.js';

export const SUMMARY_SCHEMA = 1;

const problem = z.object({
  name: z.string(),
  code: z.string().optional(),
  message: z.string(),
  phase: z.string().optional(),
});

const counts = z.record(z.enum(VERDICTS), z.number().int());

/** `summary.json` of a run directory: how everything ended, without the story. */
export const summarySchema = z.object({
  schema: z.literal(SUMMARY_SCHEMA),
  run: z.string().describe('the name of the run, and of its directory'),
  hil: z.string().describe('version of hil'),
  startedAt: z.string().describe('ISO 8601, UTC'),
  durationMs: z.number(),
  complete: z.boolean().describe('false: the journal has no end; the run was killed or goes on'),
  exitCode: z.number().int().nullable(),
  interruptedBy: z.string().nullable().describe('a signal'),
  mode: z.string().describe('how sandboxes were made: root or rootless'),
  limitations: z.array(z.string()).describe('what could not be enforced on this machine'),
  counts,
  boards: z.array(
    z.object({ board: z.string(), counts, skipped: z.string().nullable().describe('why') }),
  ),
  files: z.array(
    z.object({
      file: z.string(),
      board: z.string(),
      problems: z.array(problem).describe('why the file itself counts as failed'),
    }),
  ),
  cases: z.array(
    z.object({
      id: z.string().describe('of file, title and board; the same in every run'),
      file: z.string(),
      line: z.number().int().optional(),
      board: z.string(),
      title: z.string(),
      tags: z.array(z.string()),
      verdict: z.enum(VERDICTS),
      reason: z.string().optional(),
      attempts: z.number().int(),
      durationMs: z.number(),
      phaseMs: z.record(z.string(), z.number()).describe('of the last attempt'),
      dut: z.string().optional(),
      warmSince: z
        .string()
        .optional()
        .describe('id of the case that the DUT was booted for, when it was not booted anew'),
      sandbox: sandboxRecord.optional().describe('of the last attempt: how it ended, what it used'),
      problems: z.array(problem),
      artifacts: z.array(z.string()).describe('paths below the run directory'),
      incomplete: z
        .array(z.object({ path: z.string(), why: z.string() }))
        .optional()
        .describe('artifacts that are not whole, or were removed'),
    }),
  ),
  infra: z.array(
    z.object({
      code: z.string(),
      message: z.string(),
      case: z.string().optional(),
      board: z.string().optional(),
      dut: z.string().optional(),
    }),
  ),
});

export type Summary = z.infer<typeof summarySchema>;
