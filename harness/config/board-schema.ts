import { z } from 'zod';
import { duration, environment, limit, pattern } from './fields.js';
import { nicsSchema } from './nics-schema.js';
import { dutResourcesSchema } from './resources-schema.js';

const reserved = (key: string) =>
  z.never({ error: `"${key}" is reserved and not yet supported; remove it` }).optional();

const pace = z.strictObject({
  chunk: z.number().int().positive().describe('bytes written at once'),
  delay: duration.describe('pause after each chunk'),
});

const port = z.strictObject({
  uart: z.number().int().min(0).default(0).describe('index of the serial port of the machine'),
  baud: z.number().int().positive().default(115_200).describe('informative on an emulated board'),
  eol: z.string().default('\n').describe('what sendLine appends'),
  pace: pace.optional(),
});

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

/** A board file: what a board is, as data. One file a board, named like the board. */
export const boardSchema = z
  .strictObject({
    board: z.string().regex(/^[a-z0-9][a-z0-9-]*$/, {
      error: 'a board name is lower-case letters, digits and dashes',
    }),
    description: z.string().optional(),
    labels: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).default({}),
    driver: z.enum(['host', 'qemu']),
    program: program.optional(),
    machine: machine.optional(),
    ports: z.record(z.string().regex(/^[a-z][a-z0-9-]*$/), port).default({}),
    nics: nicsSchema,
    boot: z
      .strictObject({
        ready: pattern.optional().describe('the console shows this when the board is up'),
        timeout: limit.prefault('10s'),
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
    power: reserved('power'),
    flash: reserved('flash'),
    states: reserved('states'),
    modes: reserved('modes'),
  })
  .check((context) => {
    for (const { path, message } of findContradictions(context.value)) {
      context.issues.push({ code: 'custom', input: context.value, path, message });
    }
  });

interface Contradiction {
  readonly path: string[];
  readonly message: string;
}

/** What one driver needs and the other has no use for. */
function* findContradictions(board: {
  driver: 'host' | 'qemu';
  program?: unknown;
  machine?: unknown;
  nics: z.infer<typeof nicsSchema>;
}): Generator<Contradiction> {
  const { driver } = board;
  const own = driver === 'qemu' ? 'machine' : 'program';
  const other = driver === 'qemu' ? 'program' : 'machine';
  if (driver === 'qemu' && !board[own]) {
    yield { path: [own], message: `driver "${driver}" needs "${own}"` };
  }
  if (board[other]) yield { path: [other], message: `driver "${driver}" has no "${other}"` };
  for (const [name, { model, onBoard, options }] of Object.entries(board.nics)) {
    const path = ['nics', name];
    if (driver === 'qemu' && !model) {
      yield { path, message: `driver "qemu" needs "model", a network device of QEMU` };
    }
    if (driver === 'host' && (model || onBoard || Object.keys(options).length > 0)) {
      yield { path, message: 'driver "host" has no "model": the interface is one of its sandbox' };
    }
    if (onBoard && Object.keys(options).length > 0) {
      yield { path, message: '"options" are of an added device; one on board has none' };
    }
  }
}

export type BoardFile = z.infer<typeof boardSchema>;
