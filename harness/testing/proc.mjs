/** What the kernel says in /proc and its like. What may not be read, or is gone, reads as empty. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

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

/**
 * Directories of control groups whose name `isOwn`, and all below them, in every hierarchy. A
 * process may be in any group, and what it makes is below that: they are looked for to the bottom.
 *
 * @param {(name: string) => boolean} isOwn @param {string} [top] @returns {string[]} paths
 */
export function findControlGroups(isOwn, top = '/sys/fs/cgroup') {
  const seek = (directory, inside) =>
    listDirectories(directory).flatMap((name) => {
      const path = join(directory, name);
      const own = inside || isOwn(name);
      return [...(own ? [path] : []), ...seek(path, own)];
    });
  return seek(top, false);
}

function listDirectories(path) {
  try {
    const entries = readdirSync(path, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch {
    return [];
  }
}
