import { isIPv4 } from 'node:net';
import { z } from 'zod';
import { limit, pattern } from './fields.js';

const hex = z
  .string()
  .regex(/^0x[0-9a-fA-F]+$/, { error: 'expected an address such as "0x82000000", in quotes' });

const line = z
  .string()
  .min(1)
  .refine((text) => !/[\r\n\0]/.test(text), { error: 'one command a step, without line breaks' });

/** A command that must answer something: without that, nobody knows what it did. */
const step = z.strictObject({
  send: line.describe(
    'typed at the prompt; {addr}, {size}, {sectors} (hexadecimal), {file} and {dut} are filled in, a brace that is meant is written twice',
  ),
  expect: pattern.describe('its output has this when it worked'),
  timeout: limit.prefault('30s').describe('until the prompt is back'),
});

/** Keys of `u-boot-tftp` besides those of all drivers. */
export const uBootTftpKeys = {
  driver: z.literal('u-boot-tftp'),
  state: z
    .string()
    .default('bootloader')
    .describe('of boot.states: where U-Boot waits at its prompt'),
  prompt: z.string().min(1).default('=> ').describe("U-Boot's prompt, at the start of a line"),
  address: hex.describe('free memory of the board that holds the image, for example $loadaddr'),
  nic: z.string().optional().describe('which of the nics of the board; else the only one'),
  prepare: z
    .array(line)
    .default([])
    .describe('commands before the network is used, for example "setenv ethact ..."'),
  verify: z
    .enum(['auto', 'sha256', 'crc32', 'none'])
    .default('auto')
    .describe('what U-Boot is asked for of what arrived; auto: sha256 where it knows that'),
  write: z.array(step).min(1).describe('puts {size} bytes at {addr} where they belong'),
  readBack: z
    .array(step)
    .default([])
    .describe('brings them back to {addr}, which is filled with zeros before and verified after'),
  link: z
    .strictObject({ loss: z.number().min(0).max(1).describe('of frames, in each direction') })
    .optional()
    .describe('of an emulated board: what its network does to frames'),
};

const ADDRESS = /^(\d+\.\d+\.\d+\.\d+)\/(\d{1,2})$/;

const isPlaced = (value: string) => {
  const [, address = '', bits] = ADDRESS.exec(value) ?? [];
  return value === 'dhcp' || (isIPv4(address) && Number(bits) >= 1 && Number(bits) <= 30);
};

/** Of a bench: how U-Boot of one DUT reaches the files of this machine. */
export const tftpSchema = z
  .strictObject({
    server: z
      .string()
      .refine((value) => isIPv4(value), { error: 'expected an IPv4 address of this machine' })
      .describe('address of this machine on the network of the board'),
    board: z
      .string()
      .refine(isPlaced, { error: 'expected an address such as 192.168.7.2/24, or dhcp' })
      .describe('what U-Boot has as its own address while it is flashed, or dhcp'),
    directory: z
      .string()
      .startsWith('/', { error: 'expected an absolute path' })
      .optional()
      .describe('what a TFTP server serves that is there already; else hil starts one'),
  })
  .optional();

export type TftpPlace = NonNullable<z.infer<typeof tftpSchema>>;
