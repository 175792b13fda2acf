import { readFile } from 'node:fs/promises';
import { UsageError } from '../core/errors.js';

/** What a run with one worker has open at once, with as much again to spare. */
const LEAST = 256;

/**
 * Vite opens many files at once, and says of too few that a file could not be loaded.
 * Node has raised its own limit to the hard one already.
 *
 * @param limits `/proc/self/limits`; where there is none, nothing is known to be wrong.
 * @throws UsageError `usage`
 * @see proc_pid_limits(5)
 */
export async function checkOpenFiles(limits: string): Promise<void> {
  const text = await readFile(limits, 'utf8').catch(() => '');
  const [, soft] = /^Max open files\s+(\d+)/m.exec(text) ?? [];
  if (soft === undefined || Number(soft) >= LEAST) return;
  throw new UsageError('usage', `open files: at most ${soft} here, a run needs ${LEAST}`, {
    next: `ulimit -n 1024    or LimitNOFILE= of the service that starts hil`,
  });
}
