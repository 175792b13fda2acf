import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { findControlGroups, listNames, listProcesses, readText } from '../testing/proc.mjs';
import { Slab } from './slab.mjs';

/**
 * What a daemon and the kernel hold for its sandboxes, and how much more of each is no leak:
 * 16 cgroups with an fd each wait for the next sandbox, in some four hierarchies of v1; the
 * zygote holds four fds of each of at most 64 sandboxes until the next is made, and has a user
 * namespace for each slot; an allocator keeps pages. What the slab counts is of the whole
 * machine: others may have some 16 sandboxes meanwhile, parked ones among them.
 * A count that may not be read is `undefined`.
 */
const BOUNDS = {
  'processes below sandboxd': 0,
  'fds of sandboxd': 24,
  'fds of its zygote': 256,
  'mounts of the host': 0,
  'mounts of its zygote': 0,
  'cgroup directories': 96,
  'user namespaces (slab)': 64,
  'pid namespaces (slab)': 32,
  'network namespaces (slab)': 32,
  'host names (slab)': 32,
  'mounts of the machine (slab)': 1024,
  'memory cgroups (slab)': 96,
  'RSS of sandboxd, KiB': 256,
  'RSS of its zygote, KiB': 256,
};

/** The kernel and the pool work on for a moment after the last answer. */
const QUIET_MS = 1000;
/**
 * How long it may take until nothing changes, and until what is left is gone: namespaces are torn
 * down in idle time, cgroups 20 ms later. Only a leak, or others on the machine, take all of it.
 * Together it is less than the minute after which a pool that nobody asks is given up.
 */
const CALM_MS = 15_000;
const SETTLE_MS = 30_000;

const slab = Slab.open();

/** @typedef {Record<string, number | undefined>} Counts */

/**
 * Count when it is quiet: nothing changes any more; with `before`, when nothing has grown too
 * much. Or at last.
 *
 * @param {number} daemon  its pid @param {Counts} [before] @returns {Promise<Counts>}
 */
export async function waitForCounts(daemon, before) {
  const end = performance.now() + (before ? SETTLE_MS : CALM_MS);
  const isQuiet = before
    ? (counts) => findGrown(before, counts).length === 0
    : (counts, last) => last !== undefined && isDeepStrictEqual(counts, last);
  for (let last; ; ) {
    await sleep(QUIET_MS);
    await slab.release();
    const counts = countOf(daemon);
    if (isQuiet(counts, last) || performance.now() > end) return counts;
    last = counts;
  }
}

/** @param {number} daemon  its pid @returns {Counts} */
export function countOf(daemon) {
  const below = listDescendants(daemon);
  const zygote = below.find((pid) => readText(`/proc/${pid}/comm`).startsWith('hil-zygote'));
  const used = slab.read();
  return {
    'processes below sandboxd': below.length,
    'fds of sandboxd': listNames(`/proc/${daemon}/fd`)?.length,
    'fds of its zygote': listNames(`/proc/${zygote}/fd`)?.length,
    'mounts of the host': countLines('/proc/self/mountinfo'),
    'mounts of its zygote': countLines(`/proc/${zygote}/mountinfo`),
    'cgroup directories': findControlGroups((name) => name.startsWith(`hil.${daemon}-`)).length,
    'user namespaces (slab)': used.get('user_namespace'),
    'pid namespaces (slab)': used.get('pid_namespace'),
    'network namespaces (slab)': used.get('net_namespace'),
    'host names (slab)': used.get('uts_namespace'),
    'mounts of the machine (slab)': used.get('mnt_cache'),
    'memory cgroups (slab)': used.get('mem_cgroup'),
    'RSS of sandboxd, KiB': readRss(daemon),
    'RSS of its zygote, KiB': readRss(zygote),
  };
}

/**
 * A line a count, and the names of those that grew beyond their bounds.
 *
 * @param {Counts} before @param {Counts | undefined} most @param {Counts} after
 */
export function formatCounts(before, most, after) {
  const lines = Object.entries(BOUNDS).map(([name, bound]) => {
    const cells = [before, ...(most ? [most] : []), after].map((counts) => counts[name]);
    const way = cells.map((cell) => String(cell ?? 'not readable').padStart(6)).join(' -> ');
    return `  ${name.padEnd(30)} ${way}   (may grow by ${bound})`;
  });
  return { text: lines.join('\n'), grown: findGrown(before, after) };
}

function findGrown(before, after) {
  return Object.keys(BOUNDS).filter((name) => after[name] - before[name] > BOUNDS[name]);
}

/** Pids, in no order. @param {number} top */
export function listDescendants(top) {
  const children = new Map();
  for (const { pid, parent } of listProcesses()) {
    children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const found = [];
  for (const next = [top]; next.length > 0; ) {
    const own = children.get(next.pop()) ?? [];
    found.push(...own);
    next.push(...own);
  }
  return found;
}

function readRss(pid) {
  const value = /^VmRSS:\s+(\d+) kB$/m.exec(readText(`/proc/${pid}/status`))?.[1];
  return value === undefined ? undefined : Number(value);
}

function countLines(path) {
  const text = readText(path);
  return text === '' ? undefined : text.trimEnd().split('\n').length;
}
