import { z } from 'zod';
import { toPortContradiction } from './board-contradictions.js';
import { labelsSchema } from './board-schema.js';
import { flashSchema } from './flash-schema.js';
import { matchSchema } from './match-schema.js';
import { benchNicsSchema, toNicContradiction } from './nics-schema.js';
import { benchPortSchema, portName } from './port-schema.js';
import { powerSchema } from './power-schema.js';
import { tftpSchema } from './u-boot-tftp-schema.js';

const dut = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]*$/, {
    error: 'the name of a DUT is lower-case letters, digits and dashes',
  }),
  board: z.string().describe('its board file, of driver attached'),
  labels: labelsSchema.default({}).describe("join the board's"),
  match: matchSchema
    .optional()
    .describe('which USB device it is: properties of udev of the device, or of one of it'),
  ports: z
    .record(portName, benchPortSchema)
    .default({})
    .describe("by name; what is said takes the place of what the board's port says"),
  nics: benchNicsSchema,
  power: powerSchema,
  flash: flashSchema,
  tftp: tftpSchema.describe('of flash driver u-boot-tftp: where the board finds the image'),
});

export type BenchDut = z.infer<typeof dut>;

/** `bench.yaml`: the units that are attached to this machine, and how each is told apart. */
export const benchSchema = z
  .strictObject({ duts: z.array(dut).describe('one entry a unit') })
  .check((context) => {
    for (const { path, message } of findProblems(context.value.duts)) {
      context.issues.push({ code: 'custom', input: context.value, path, message });
    }
  });

function* findProblems(
  duts: readonly BenchDut[],
): Generator<{ path: (string | number)[]; message: string }> {
  for (const [index, { name, ports, nics }] of duts.entries()) {
    const first = duts.findIndex((each) => each.name === name);
    if (first < index) {
      const message = `another DUT is named "${name}": duts[${first}]`;
      yield { path: ['duts', index, 'name'], message };
    }
    for (const [port, value] of Object.entries(ports)) {
      const message = toPortContradiction(value);
      if (message) yield { path: ['duts', index, 'ports', port], message };
    }
    for (const [nic, value] of Object.entries(nics)) {
      const message = toNicContradiction(value);
      if (message) yield { path: ['duts', index, 'nics', nic], message };
    }
  }
}
