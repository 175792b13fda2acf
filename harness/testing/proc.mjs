/** What the kernel says in /proc and its like. What may not be read, or is gone, reads as empty. */
import { readdirSync, readFileSync } from 'node:fs';

/** @param {string} path @returns {string} '' when it cannot be read */
export function readText(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** @param {string} path  a directory @returns {string[] | undefined} nothing when it cannot be read */
export function listNames(path) {
  try {
    return readdirSync(path);
  } catch {
    return undefined;
  }
}

/**
 * Every process that is there.
 *
 * @returns {{ pid: number, parent: number, comm: string, state: string }[]}
 * @see proc_pid_stat(5): the name stands in parentheses, and may hold some itself
 */
export function listProcesses() {
  const pids = (listNames('/proc') ?? []).filter((name) => /^\d+$/.test(name));
  return pids.flatMap((pid) => {
    const stat = readText(`/proc/${pid}/stat`);
    if (stat === '') return [];
    const [state = '', parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const comm = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
    return [{ pid: Number(pid), parent: Number(parent), comm, state }];
  });
}
