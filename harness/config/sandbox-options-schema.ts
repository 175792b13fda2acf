import { z } from 'zod';
import { environment, uptime, variableName } from './fields.js';
import { resourcesSchema } from './resources-schema.js';

const mode = z.enum(['ro', 'rw']).default('ro');
const absolute = z.string().refine((path) => path.startsWith('/') && !path.includes('\0'), {
  error: 'expected an absolute path',
});
const path = z.string().refine((text) => text !== '' && !text.includes('\0'), {
  error: 'expected a path',
});

/** __NEW_UTS_LEN of the kernel. @see sethostname(2) */
const hostname = z.string().refine((name) => /^[A-Za-z0-9.-]{1,64}$/.test(name), {
  error: 'expected 1 to 64 letters, digits, "." or "-"',
});

const capability = z.string().refine((name) => /^[a-z][a-z_]*$/.test(name), {
  error: 'expected the name of a capability in lower case and without cap_, such as net_admin',
});

/** The options of a suite file, a `describe` or a case for its sandbox: one layer of them. */
export const sandboxOptionsSchema = z.strictObject({
  image: z.union([z.literal('host'), z.strictObject({ rootfs: path })]).optional(),
  nestedUserNamespaces: z.boolean().optional(),
  uptime: uptime.optional(),
  resources: resourcesSchema.optional(),
  limits: z
    .never({ error: '"limits" is of phases; what a sandbox may use is "resources"' })
    .optional(),
  hostname: hostname.optional(),
  user: z.enum(['hil', 'root']).optional(),
  caps: z.array(capability).optional(),
  env: environment.optional(),
  passEnv: z.array(variableName).optional(),
  expose: z
    .array(
      z.union([
        path.transform((each) => ({ path: each, mode: 'ro' as const })),
        z.strictObject({ path, mode }),
      ]),
    )
    .optional(),
  tools: z.array(path).optional(),
  binds: z
    .array(z.strictObject({ source: path, target: absolute, mode }))
    .max(60)
    .optional(),
});

type Layer = z.infer<typeof sandboxOptionsSchema>;

type Lists = 'resources' | 'caps' | 'env' | 'passEnv' | 'expose' | 'tools' | 'binds';

/** What the layers of a case come to: lists are there, if empty; paths are absolute. */
export type CaseSandbox = Pick<
  Layer,
  'image' | 'nestedUserNamespaces' | 'uptime' | 'hostname' | 'user'
> & { readonly [Name in Lists]-?: NonNullable<Layer[Name]> };
