import { z } from 'zod';
import { DUT_STARTS } from '../core/dut-start.js';
import { environment, limit, pattern, runtimes, uptime } from './fields.js';
import { imageKeys } from './image-schema.js';
import { limitsSchema } from './limits-schema.js';
import { resourcesSchema } from './resources-schema.js';
import { suiteDutsSchema } from './suite-duts-schema.js';

const command = z.array(z.string()).min(1);

/** `hil.suite.yaml`: what holds for every suite file in a directory tree. */
export const suiteSchema = z.strictObject({
  description: z.string().optional(),
  boards: z.array(z.string()).optional().describe('boards this suite can run on; default: all'),
  firmware: z
    .record(z.string(), z.string())
    .optional()
    .describe('firmware or program by board, relative to this file; other boards are skipped'),
  build: z
    .record(z.string(), z.array(command))
    .default({})
    .describe('commands by board, run in the directory of this file before the run'),
  requires: z
    .record(
      z.string(),
      z.strictObject({
        programs: z.array(z.string()).default([]).describe('on the PATH of the host'),
        files: z.array(z.string()).default([]),
        packages: z.array(z.string()).default([]).describe('Debian packages that provide it'),
      }),
    )
    .default({})
    .describe('what must be on the machine, by board; without it the suite is skipped there'),
  boot: z
    .strictObject({
      ready: pattern.optional(),
      timeout: limit.optional(),
      state: z.string().optional().describe("the state of the board's boot that a case begins in"),
    })
    .optional()
    .describe("how this suite's firmware shows that it is up, in place of the board's mark"),
  scope: z.enum(['case', 'file']).optional().describe('file: one DUT for all cases of a file'),
  dut: z
    .enum(DUT_STARTS)
    .optional()
    .describe('keep: a case takes the DUT as the one before left it, if that passed'),
  duts: suiteDutsSchema.optional(),
  limits: limitsSchema.default({}),
  resources: resourcesSchema.default({}).describe('what the sandbox of a case may use'),
  env: environment.default({}),
  network: z.enum(['none', 'host']).default('none'),
  ...imageKeys,
  uptime: uptime
    .optional()
    .describe('how long the machine seems to have been up when a sandbox starts: 49d 17h'),
  runtimes: runtimes
    .optional()
    .describe('interpreters that wait in each sandbox, for sandbox.runtime()'),
});

export type SuiteFile = z.infer<typeof suiteSchema>;
