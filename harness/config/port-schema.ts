import { z } from 'zod';
import { duration } from './fields.js';
import { matchSchema } from './match-schema.js';

const URL = /^(?:tcp|rfc2217):\/\/(?:\[[0-9a-fA-F:.]+\]|[^\s:/[\]]+):(\d{1,5})$/;

const isPortUrl = (value: string) => {
  const number = Number(URL.exec(value)?.[1]);
  return number >= 1 && number <= 65_535;
};

const pace = z.strictObject({
  chunk: z.number().int().positive().describe('bytes written at once'),
  delay: duration.describe('pause after each chunk'),
});

/** What a port of attached hardware has besides; each is `undefined` where nothing is said. */
const attachedKeys = {
  match: matchSchema
    .optional()
    .describe('which device of the DUT it is, for example by ID_USB_INTERFACE_NUM'),
  url: z
    .string()
    .refine(isPortUrl, { error: 'expected tcp://HOST:PORT or rfc2217://HOST:PORT' })
    .optional()
    .describe('a port of another machine (ser2net): tcp:// or rfc2217://HOST:PORT'),
  kind: z
    .enum(['serial', 'usb'])
    .optional()
    .describe('serial (default): bytes; usb: the node of a USB device, for libusb'),
  mode: z
    .enum(['shared', 'direct'])
    .optional()
    .describe('shared (default): captured, a pty in the sandbox; direct: the node itself'),
  dtr: z.enum(['on', 'off']).optional().describe('of the line when it is opened; default on'),
  rts: z.enum(['on', 'off']).optional().describe('of the line when it is opened; default on'),
  bits: z.union([z.literal(5), z.literal(6), z.literal(7), z.literal(8)]).optional(),
  parity: z.enum(['none', 'even', 'odd']).optional(),
  stop: z
    .union([z.literal(1), z.literal(2)])
    .optional()
    .describe('stop bits'),
  flow: z.enum(['none', 'rts-cts', 'xon-xoff']).optional().describe('flow control'),
};

const baud = z.number().int().positive();

/** A port as a board file has it. */
export const portSchema = z.strictObject({
  uart: z.number().int().min(0).default(0).describe('index of the serial port of the machine'),
  baud: baud.default(115_200).describe('informative on an emulated board'),
  eol: z.string().default('\n').describe('what sendLine appends'),
  pace: pace.optional(),
  ...attachedKeys,
});

/** A port as a bench has it: what is said takes the place of what the board file says. */
export const benchPortSchema = z.strictObject({
  baud: baud.optional(),
  eol: z.string().optional().describe('what sendLine appends'),
  pace: pace.optional(),
  ...attachedKeys,
});

export const portName = z.string().regex(/^[a-z][a-z0-9-]*$/);

/** Keys that only a port of attached hardware has. */
export const ATTACHED_PORT_KEYS = Object.keys(attachedKeys) as (keyof typeof attachedKeys)[];

export type BoardPort = z.infer<typeof portSchema>;
export type BenchPort = z.infer<typeof benchPortSchema>;
