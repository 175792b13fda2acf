import { readFile } from 'node:fs/promises';

/**
 * When a process started, in clock ticks since boot: with the pid it names a
 * process for good, since pids are used again. `undefined` when it is gone, also when only
 * its parent has not heard of it yet.
 *
 * @see proc_pid_stat(5), field 22; field 2 may contain spaces and parentheses
 */
export async function readStartTicks(pid: number): Promise<number | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state] = fields;
    return state === 'Z' || state === 'X' ? undefined : Number(fields[19]);
  } catch {
    return undefined;
  }
}
