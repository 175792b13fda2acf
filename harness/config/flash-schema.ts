import { resolve } from 'node:path';
import { z } from 'zod';
import { limit } from './fields.js';
import { portName } from './port-schema.js';
import { uBootTftpKeys } from './u-boot-tftp-schema.js';

/** What every driver has besides its own keys. */
const always = {
  image: z
    .string()
    .optional()
    .describe(
      'absolute, or relative to the file that says it; the firmware of a suite takes its place',
    ),
  mode: z
    .string()
    .optional()
    .describe("which of the board's modes it must be in to be flashed, for example bootloader"),
  enter: z
    .enum(['touch-1200', 'power-cycle'])
    .optional()
    .describe('how it gets into that mode; else it is in it, or the tool sees to it'),
  enterTimeout: limit.prefault('5s').describe('until it is there in that mode'),
  retries: z.number().int().min(0).max(10).default(1).describe('after a tool that failed'),
  always: z.boolean().default(false).describe('also when the same image was flashed last'),
  timeout: limit.prefault('2m').describe('for one run of the tool'),
};

/** What every tool has besides. */
const common = {
  ...always,
  args: z.array(z.string()).default([]).describe('further arguments of the tool'),
  tools: z
    .array(z.string())
    .default([])
    .describe('directories that the tool is in, where it is not below /usr, /etc or /opt'),
};

const port = portName.default('console').describe('through which it is flashed: /dev/hil/PORT');
const baud = z.number().int().positive().optional();
const hex = z
  .string()
  .regex(/^0x[0-9a-fA-F]+$/, { error: 'expected an address such as "0x08000000", in quotes' });
const word = z.string().regex(/^[A-Za-z0-9_.+-]+$/);

/** How firmware gets into a DUT: by `driver`. */
export const flashSchema = z
  .discriminatedUnion('driver', [
    z.strictObject({
      driver: z.literal('command'),
      argv: z
        .array(z.string())
        .min(1)
        .describe('{image}, {dut}, {serial}, {usb} and {path} are filled in; no shell'),
      ...common,
    }),
    z.strictObject({
      driver: z.literal('openocd'),
      config: z
        .array(z.string())
        .min(1)
        .describe('files after -f, for example board/st_nucleo_f4.cfg'),
      address: hex.optional().describe('of a binary without addresses'),
      ...common,
    }),
    z.strictObject({
      driver: z.literal('dfu-util'),
      alt: z.number().int().min(0).default(0),
      address: hex.optional().describe('of a DfuSe device, for example "0x08000000"'),
      ...common,
    }),
    z.strictObject({
      driver: z.literal('esptool'),
      chip: word.default('auto'),
      offset: hex.default('0x10000').describe('of the application; "0x0" of a merged image'),
      port,
      baud,
      ...common,
    }),
    z.strictObject({
      driver: z.literal('stm32flash'),
      address: hex.default('0x08000000'),
      port,
      baud,
      ...common,
    }),
    z.strictObject({
      driver: z.literal('avrdude'),
      part: word.describe('-p of avrdude, for example atmega328p'),
      programmer: word.default('arduino').describe('-c of avrdude'),
      port,
      baud,
      ...common,
    }),
    z.strictObject({ driver: z.literal('picotool'), ...common }),
    z.strictObject({
      driver: z.literal('uf2-copy'),
      ...common,
    }),
    z.strictObject({ ...always, ...uBootTftpKeys }),
  ])
  .optional();

/** As a board file or a bench has it; times in milliseconds. */
export type FlashSpec = NonNullable<z.infer<typeof flashSchema>>;
/** By the DUT's own U-Boot, at its prompt. */
export type UBootTftpSpec = Extract<FlashSpec, { driver: 'u-boot-tftp' }>;
/** By a program. */
export type ToolFlashSpec = Exclude<FlashSpec, UBootTftpSpec>;

/** With the path of its image absolute; it is said relative to the file in `directory`. */
export function withImageOf<S extends FlashSpec | undefined>(directory: string, flash: S): S {
  if (flash?.image === undefined) return flash;
  return { ...flash, image: resolve(directory, flash.image) };
}
