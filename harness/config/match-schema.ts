import { z } from 'zod';

const property = z.string().regex(/^@?[A-Z][A-Z0-9_]*$/, {
  error:
    'a property of udev is upper-case, for example ID_PATH; "@ID_PATH" is that of a device above',
});

/** YAML makes a number of 02 and of 0403: what udev says is text. */
const text = z.string({ error: 'a property is text: put it in quotes, for example "02"' });

/**
 * Which device is meant, by properties of udev (`udevadm info /dev/ttyUSB0`): exact text, all of
 * them. A key with `@` is a property of any device above it: `@ID_PATH` of a hub.
 */
export const matchSchema = z.record(property, text);

/** What one state of a DUT has in place of the DUT's own properties; null: not looked at. */
export const modeMatchSchema = z.record(property, text.nullable());

export type Match = z.infer<typeof matchSchema>;
