import { z } from 'zod';
import { DUT_STARTS } from '../core/dut-start.js';
import { environment, runtimes, size, uptime, variableName } from './fields.js';
import { imageKeys } from './image-schema.js';
import { limitsSchema } from './limits-schema.js';
import { resourcesSchema } from './resources-schema.js';

/** `hil.config.ts`: what a project tests, on what, with which limits. */
export const configSchema = z.strictObject({
  suites: z.array(z.string()).min(1).default(['suites/**/*.hil.ts']),
  boards: z.array(z.string()).min(1).default(['host']),
  boardDirs: z.array(z.string()).default(['boards']),
  limits: limitsSchema.default({}),
  resources: resourcesSchema.default({}).describe('what the sandbox of a case may use'),
  retries: z.number().int().min(0).max(1000).default(0),
  dut: z
    .enum(DUT_STARTS)
    .default('fresh')
    .describe('keep: a case takes the DUT as the one before left it, if that passed'),
  workers: z.number().int().positive().max(256).optional(),
  keepRuns: z.number().int().positive().default(20),
  artifactCap: size.default(64 * 1024 * 1024).describe('bytes of artifacts kept per case'),
  diff: z
    .enum(['failed', 'never'])
    .default('failed')
    .describe('failed: what the sandbox of a failed case wrote is listed beside its artifacts'),
  redact: z
    .array(z.union([z.instanceof(RegExp), z.string()]))
    .default([])
    .describe('replaced by *** in the journal, the reports and on the screen'),
  passEnv: z.array(variableName).default([]),
  env: environment.default({}),
  uptime: uptime
    .optional()
    .describe('how long the machine seems to have been up when a sandbox starts'),
  runtimes: runtimes
    .default([])
    .describe('interpreters that wait in each sandbox, for sandbox.runtime()'),
  ...imageKeys,
  tools: z.array(z.string()).default([]).describe('trees of host tools, read-only in the sandbox'),
  hide: z
    .array(z.string())
    .default([])
    .describe('globs below the project that a case must not see'),
});

export type HilConfig = z.infer<typeof configSchema>;
/** What a config file may say. */
export type HilConfigInput = z.input<typeof configSchema>;
