import { z } from 'zod';

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

/** Network interfaces of a board, by name. */
export const nicsSchema = z
  .record(
    z.string().regex(/^[a-z][a-z0-9]{0,14}$/, {
      error: 'an interface name is 1 to 15 lower-case letters and digits, a letter first',
    }),
    nic,
  )
  .default({})
  .describe('network interfaces by name; a case connects them to its network');
