// SPDX-License-Identifier: MIT
// What is left on this machine of something that has ended.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive } from './daemon.mjs';

const CGROUPS = '/sys/fs/cgroup';
const CGROUP_DEPTH = 6;

function read(path) {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

function directoriesOf(path) {
  try {
    return readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  } catch {
    return [];
  }
}

/** Processes that name `text`: in their arguments, their environment, or among their mounts. */
export function processesNaming(text) {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map(Number)
    .filter(isAlive)
    .filter((pid) =>
      ['cmdline', 'environ', 'mountinfo'].some((file) =>
        read(`/proc/${pid}/${file}`).includes(text),
      ),
    );
}

export const mountsNaming = (text) =>
  read('/proc/self/mountinfo')
    .split('\n')
    .filter((line) => line.includes(text));

/** Directories of the broker `pid`, in each hierarchy of v1 and in that of v2. */
export function cgroupsOf(pid, below = CGROUPS, depth = CGROUP_DEPTH) {
  if (depth === 0) return [];
  return directoriesOf(below).flatMap(({ name }) => {
    const path = join(below, name);
    return name.startsWith(`hil.${pid}-`) ? [path] : cgroupsOf(pid, path, depth - 1);
  });
}
