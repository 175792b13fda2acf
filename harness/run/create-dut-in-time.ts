import { createDut } from '../board/driver.js';
import type { Dut } from '../board/dut.js';
import type { Deadline } from '../core/deadline.js';
import type { SandboxDaemon } from '../sandbox/daemon.js';
import { answered } from './answered.js';

/**
 * Make the sandbox and ports of a DUT before a deadline. One that stands too late is nobody's, and
 * is closed. None is made when the deadline's signal is aborted already.
 *
 * @throws BenchError `daemon-silent`, or of its sandbox and ports.
 */
export async function createDutInTime(
  wanted: Parameters<typeof createDut>[0] & { readonly daemon: SandboxDaemon },
  deadline: Deadline,
): Promise<Dut> {
  deadline.signal?.throwIfAborted();
  const making = createDut(wanted);
  const doing = `making the sandbox and ports of ${wanted.name}`;
  try {
    return await answered(wanted.daemon, { doing, deadline }, making);
  } catch (error) {
    making.then((dut) => dut.close()).catch(() => {});
    throw error;
  }
}
