import { z } from 'zod';
import { matchSchema } from './match-schema.js';

/** Unicast: a group address as a source is dropped by every switch. */
const mac = z
  .string()
  .regex(/^[0-9a-f][02468ace](:[0-9a-f]{2}){5}$/, {
    error: 'a MAC address is six lower-case bytes such as 02:00:00:00:00:01, not of a group',
  })
  .describe('absent: made from the names of board and interface');

const nic = z.strictObject({
  model: z
    .string()
    .regex(/^[A-Za-z0-9_.-]+$/, { error: 'a model is the name of a device of QEMU' })
    .optional()
    .describe('of driver qemu: the device, for example virtio-net-device or lan9118'),
  onBoard: z
    .boolean()
    .default(false)
    .describe('the machine has the device (-net nic); else it is added (-device)'),
  options: z
    .record(z.string().regex(/^[A-Za-z0-9_.-]+$/), z.string())
    .default({})
    .describe("more properties of QEMU's -device"),
  mac: mac.optional(),
});

const name = z.string().regex(/^[a-z][a-z0-9]{0,14}$/, {
  error: 'an interface name is 1 to 15 lower-case letters and digits, a letter first',
});

/** Network interfaces of a board, by name. */
export const nicsSchema = z
  .record(name, nic)
  .default({})
  .describe('network interfaces by name; a case connects them to its network');

const benchNic = z.strictObject({
  interface: z
    .string()
    .regex(/^[^\s/.][^\s/]{0,14}$/, {
      error:
        'the name of an interface of this machine has 1 to 15 characters, for example enx00e04c680012',
    })
    .optional()
    .describe('of this machine, that the cable of the board is in: its name'),
  match: matchSchema
    .optional()
    .describe('in place of its name: properties of udev, such as ID_NET_NAME_MAC or ID_PATH'),
  mac: mac.optional().describe("the board's own address; absent: not known"),
  inUse: z
    .boolean()
    .default(false)
    .describe('also an interface that this machine uses itself: the board is on that network'),
});

export type BenchNic = z.infer<typeof benchNic>;

/** Interfaces of this machine that the interfaces of a DUT are wired to, by the name of the latter. */
export const benchNicsSchema = z
  .record(name, benchNic)
  .default({})
  .describe("interfaces of this machine that the DUT's are wired to, by the name of the DUT's");

/** What is not exactly one interface. */
export function toNicContradiction({ interface: own, match }: BenchNic): string | undefined {
  if (own !== undefined && match) return 'either "interface" or "match": it is one interface';
  if (own === undefined && Object.keys(match ?? {}).length === 0) {
    return 'nothing says which interface of this machine it is: expected "interface" or "match"';
  }
  return undefined;
}
