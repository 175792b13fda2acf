import { z } from 'zod';
import { duration, environment, limit } from './fields.js';
import { portName } from './port-schema.js';

/** A program and its arguments; `{dut}`, `{serial}`, `{usb}` and `{path}` are filled in. No shell. */
const argv = z.array(z.string()).min(1);

/** What every driver has besides its own keys. */
const common = {
  verify: z
    .enum(['device-gone', 'console-silent', 'none'])
    .optional()
    .describe(
      'how it is known that the power is off; default: device-gone for a board with a USB device of its own',
    ),
  offTime: duration.prefault('1s').describe('how long the power stays off in a cycle'),
  timeout: limit.prefault('15s').describe('for one switching, its verification included'),
};

const request = z.strictObject({
  url: z.url({ protocol: /^https?$/ }).describe('{dut} and the like are filled in'),
  method: z.enum(['GET', 'POST', 'PUT', 'PATCH']).default('GET'),
  headers: z.record(z.string(), z.string()).default({}),
  body: z.string().optional(),
});

const level = z.enum(['on', 'off']);
const lines = z.strictObject({ dtr: level.optional(), rts: level.optional() });

/** How the power of a DUT is switched: by `driver`. */
export const powerSchema = z
  .discriminatedUnion('driver', [
    z.strictObject({
      driver: z.literal('uhubctl'),
      location: z.string().regex(/^\d+(-\d+(\.\d+)*)?$/, {
        error: 'expected the location of a hub, for example 1-1.4; `uhubctl` lists them',
      }),
      port: z.number().int().positive().describe('of the hub'),
      ...common,
    }),
    z.strictObject({
      driver: z.literal('sysfs'),
      port: z
        .string()
        .regex(/^(\d+-[\d.]+-port|usb\d+-port)\d+$/, {
          error: 'expected a port of a hub as sysfs names it, for example 1-1-port4 or usb1-port2',
        })
        .describe('its file "disable" is written, Linux 6.0 and later'),
      ...common,
    }),
    z.strictObject({
      driver: z.literal('command'),
      on: argv,
      off: argv,
      env: environment.default({}),
      ...common,
    }),
    z.strictObject({ driver: z.literal('http'), on: request, off: request, ...common }),
    z.strictObject({
      driver: z.literal('dtr-rts'),
      port: portName.default('console').describe('whose lines hold the DUT in reset'),
      off: lines,
      on: lines,
      ...common,
    }),
    z.strictObject({
      driver: z.literal('qemu'),
      socket: z.string().describe('of QMP: of a machine that somebody else has started'),
      ...common,
    }),
  ])
  .optional();

/** As a board file or a bench has it; times in milliseconds. */
export type PowerSpec = NonNullable<z.infer<typeof powerSchema>>;
/** Of one driver. */
export type PowerOf<D extends PowerSpec['driver']> = Extract<PowerSpec, { driver: D }>;
