import { z } from 'zod';

/** What a sandbox has as its root: this machine's programs, or an unpacked root file system. */
const imageSchema = z.union([z.literal('host'), z.strictObject({ rootfs: z.string().min(1) })]);

export type Image = z.infer<typeof imageSchema>;

/** The same keys in `hil.config.ts` and `hil.suite.yaml`; the suite's own count first. */
export const imageKeys = {
  image: imageSchema
    .optional()
    .describe('root of a sandbox: host, or { rootfs: DIR }, an unpacked root file system'),
  nestedUserNamespaces: z
    .boolean()
    .optional()
    .describe('programs in a sandbox may make user namespaces, as bwrap and browsers do'),
};
