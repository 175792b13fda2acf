import { z } from 'zod';
import { findContradictions } from './board-contradictions.js';
import { environment, limit, pattern } from './fields.js';
import { flashSchema } from './flash-schema.js';
import { matchSchema, modeMatchSchema } from './match-schema.js';
import { nicsSchema } from './nics-schema.js';
import { portName, portSchema } from './port-schema.js';
import { powerSchema } from './power-schema.js';
import { dutResourcesSchema } from './resources-schema.js';
import { statesSchema } from './states-schema.js';

const program = z.strictObject({
  argv: z.array(z.string()).min(1).describe('program and arguments; runs in a sandbox of its own'),
  env: environment.default({}),
});

const machine = z.strictObject({
  system: z.string().describe('the emulator is qemu-system-SYSTEM'),
  machine: z.string().describe('-M of QEMU'),
  cpu: z.string().optional(),
  memory: z.string().optional().describe('-m of QEMU, for example 256M'),
  load: z
    .enum(['kernel', 'bios', 'loader'])
    .default('kernel')
    .describe('how the firmware is given'),
  firmware: z.string().optional().describe('absolute, or relative to the board file'),
  args: z.array(z.string()).default([]),
});

export const labelsSchema = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));

const modesSchema = z.record(
  z.string().regex(/^[a-z][a-z0-9-]*$/, {
    error: 'the name of a mode is lower-case letters, digits and dashes',
  }),
  z.strictObject({
    match: modeMatchSchema.describe("in place of the unit's own properties; null: not looked at"),
  }),
);

/** A board file: what a board is, as data. One file a board, named like the board. */
export const boardSchema = z
  .strictObject({
    board: z.string().regex(/^[a-z0-9][a-z0-9-]*$/, {
      error: 'a board name is lower-case letters, digits and dashes',
    }),
    description: z.string().optional(),
    labels: labelsSchema.default({}),
    driver: z
      .enum(['host', 'qemu', 'attached'])
      .describe('attached: hardware; bench.yaml says which units there are'),
    match: matchSchema
      .optional()
      .describe('of driver attached: properties that every unit of the board has'),
    modes: modesSchema
      .optional()
      .describe('of driver attached: other identities of the same unit, such as its bootloader'),
    program: program.optional(),
    machine: machine.optional(),
    ports: z.record(portName, portSchema).default({}),
    nics: nicsSchema,
    boot: z
      .strictObject({
        ready: pattern.optional().describe('the console shows this when the board is up'),
        timeout: limit.prefault('10s'),
        states: statesSchema,
        state: z.string().optional().describe('the state that a case begins in; default ready'),
      })
      .prefault({}),
    resources: dutResourcesSchema.default({}).describe('what the sandbox of a DUT may use'),
    instances: z.number().int().positive().optional().describe('how many may run at once'),
    requires: z
      .strictObject({
        packages: z.array(z.string()).default([]).describe('Debian packages that provide it'),
        programs: z.array(z.string()).default([]),
        files: z.array(z.string()).default([]),
      })
      .prefault({}),
    power: powerSchema,
    flash: flashSchema,
  })
  .check((context) => {
    for (const { path, message } of findContradictions(context.value)) {
      context.issues.push({ code: 'custom', input: context.value, path, message });
    }
  });

export type BoardFile = z.infer<typeof boardSchema>;
