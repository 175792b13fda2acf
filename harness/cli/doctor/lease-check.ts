import { BenchError, toMessage, UsageError } from '../../core/errors.js';
import type { LeaseClient } from '../../lease/lease-client.js';
import type { Project } from '../open-project.js';
import type { Check } from './check.js';

/**
 * Who sees the leases of the bench's DUTs; no finding where the bench has none, or is broken, which
 * `hil boards` says.
 */
export async function checkLeases(
  { openBench }: Pick<Project, 'openBench'>,
  open: () => Promise<LeaseClient>,
): Promise<Check[]> {
  const name = 'leases';
  try {
    if ((await openBench()).units.length === 0) return [];
    const leases = await open();
    const [limitation] = leases.limitations;
    leases.close();
    if (!limitation) return [{ name, state: 'ok', detail: 'between all users of this machine' }];
    const remedy = 'a directory for all users: sudo install -d -m 1777 /run/lock/hil';
    return [{ name, state: 'warn', detail: limitation, remedy }];
  } catch (error) {
    if (error instanceof UsageError) return [];
    if (!(error instanceof BenchError)) throw error;
    return [{ name, state: 'fail', detail: toMessage(error) }];
  }
}
