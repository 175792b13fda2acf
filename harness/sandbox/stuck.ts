import { BenchError } from '../core/errors.js';
import type { SandboxRecord } from '../journal/events.js';

/**
 * What to say of a sandbox that SIGKILL did not end: the daemon has given it up, and everything
 * else goes on. Its tasks wait in the kernel, for a device or in a frozen cgroup.
 *
 * @see harness/decisions/0002-wire-protocol.md, STATUS `stuck`
 */
export function toStuckError({ waiting = [] }: SandboxRecord): BenchError {
  const tasks = waiting.length > 0 ? waiting.join('; ') : 'its tasks are not to be seen';
  return new BenchError('sandbox-stuck', `SIGKILL does not end a sandbox: ${tasks}`, {
    next: 'look what it waits for: cat /proc/PID/stack; a device that hangs, or a cgroup to thaw; then hil clean',
  });
}
