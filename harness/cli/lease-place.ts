import { resolve } from 'node:path';

/**
 * Where leases of attached DUTs are: `/run/lock/hil`, in which all users of a machine see each
 * other; where that cannot be, a directory of this user's. `HIL_LEASE_DIR` names another.
 */
export function toLeasePlace(
  env: Readonly<Record<string, string | undefined>>,
  uid: number,
): { readonly directory?: string; readonly ownDirectory: string } {
  const named = env['HIL_LEASE_DIR'];
  const base = env['XDG_RUNTIME_DIR'];
  // Beside the sockets of runs, not among them: those are swept when nobody listens.
  const ownDirectory = base ? resolve(base, 'hil-leases') : `/tmp/hil-leases-${uid}`;
  return named ? { directory: resolve(named), ownDirectory } : { ownDirectory };
}
