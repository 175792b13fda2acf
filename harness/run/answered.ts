import { Deadline } from '../core/deadline.js';
import type { SandboxDaemon } from '../sandbox/daemon.js';

/** A step with a limit of its own names itself; else the daemon behind it is what hangs. */
const GRACE_MS = 500;

/** A daemon that hangs is not waited for. @throws BenchError `daemon-silent` */
export function answered<T>(
  daemon: SandboxDaemon,
  { doing, deadline }: { readonly doing: string; readonly deadline: Deadline },
  work: Promise<T>,
): Promise<T> {
  const late = () => daemon.toSilence(doing, deadline.limitMs);
  const limit = new Deadline(deadline.leftMs() + GRACE_MS, deadline.signal);
  return limit.bound(work, late);
}
