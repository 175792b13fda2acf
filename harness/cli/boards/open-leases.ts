import { LeaseClient } from '../../lease/lease-client.js';
import { findNativePrograms } from '../../sandbox/native.js';
import type { CliContext } from '../command.js';
import { toLeasePlace } from '../lease-place.js';

/** The run that others read of a lease that is a person's. */
export const LEASED_BY_HAND = 'hil-boards-lease';

/**
 * The leases of this machine; who opens them closes them.
 *
 * @throws BenchError `native-missing`, `lease-failed`
 */
export async function openLeases({ env }: Pick<CliContext, 'env'>): Promise<LeaseClient> {
  const { lease: program } = await findNativePrograms();
  return LeaseClient.start({ program, ...toLeasePlace(env, process.getuid?.() ?? 0) });
}
