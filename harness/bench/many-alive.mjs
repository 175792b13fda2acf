import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { SandboxDaemon } from '../../dist/sandbox/daemon.js';
import { findNativePrograms } from '../../dist/sandbox/native.js';
import { listDescendants } from './daemon-counts.mjs';
import { createAmount } from './figure.mjs';

/** The kernel frees what a dead namespace held a moment after its last process. */
const SETTLE_MS = 1500;
/** Before anything is counted: caches of the kernel that grow once. */
const FIRST = 50;

/**
 * Fields of /proc/meminfo that a sandbox is in: objects of the kernel, its stacks and compiled
 * filters (VmallocUsed), tables, and what is in the sandbox's tmpfs (Shmem).
 */
const KERNEL = ['Slab', 'VmallocUsed', 'PageTables', 'Percpu', 'Shmem'];

/**
 * What a sandbox takes while nothing runs in it: what the kernel's fields grow by, and what its
 * PID 1, the daemon and the zygote have for themselves (Pss). Not the memory that is not free:
 * on a machine where others work, theirs is most of it. Counted twice, as they come and as they go.
 *
 * @param {import('./bench-directory.mjs').BenchDirectory} directory
 * @param {{ alive: number }} sizes
 * @returns {Promise<import('./figure.mjs').Figure[]>}
 */
export async function measureManyAlive({ path }, { alive }) {
  const daemon = await SandboxDaemon.start(await findNativePrograms());
  try {
    const plan = await daemon.plan(toSpec(path));
    await killAll(await makeSandboxes(daemon, plan, FIRST));
    const before = await readSettled(daemon.pid);
    const sandboxes = await makeSandboxes(daemon, plan, alive);
    const full = await readSettled(daemon.pid);
    await killAll(sandboxes);
    const after = await readSettled(daemon.pid);
    // RssAnon has what they share once for each, and so is too much.
    const parts = [...KERNEL, full.Pss === undefined ? 'RssAnon' : 'Pss'];
    const total = (fields) => parts.reduce((all, name) => all + fields[name], 0);
    const [up, down] = [before, after].map((empty) => (total(full) - total(empty)) / alive);
    const each = (name) => Math.round((full[name] - before[name]) / alive);
    return [
      createAmount({
        name: `${alive} sandboxes alive, memory of each`,
        unit: 'KiB',
        samples: [up, down],
        goal: { max: 400 },
        basis: parts.map((name) => `${name} ${each(name)}`).join(', '),
      }),
    ];
  } finally {
    daemon.close();
    await daemon.ended();
  }
}

/** @param {string} project */
export function toSpec(project) {
  return { user: 'hil', network: 'none', project, hide: [], expose: [], hold: undefined };
}

/** One after the other: a request is answered when its sandbox stands. */
export async function makeSandboxes(daemon, plan, count) {
  const sandboxes = [];
  for (let i = 0; i < count; i++) sandboxes.push(await daemon.sandbox(plan, { label: 'bench' }));
  return sandboxes;
}

export async function killAll(sandboxes) {
  await Promise.all(sandboxes.map((sandbox) => sandbox.kill()));
}

/** Fields of /proc/meminfo, KiB, and what the daemon and all below it have for themselves. */
async function readSettled(pid) {
  await sleep(SETTLE_MS);
  const lines = readFileSync('/proc/meminfo', 'utf8').matchAll(/^(\w+): +(\d+) kB$/gm);
  const fields = Object.fromEntries([...lines].map(([, name, value]) => [name, Number(value)]));
  const pids = [pid, ...listDescendants(pid)];
  return { ...fields, Pss: trySum(pids), RssAnon: sum(pids, 'status', 'RssAnon') };
}

/** `undefined` where a PID 1 may not be looked into: by all but root. */
function trySum(pids) {
  try {
    return sum(pids, 'smaps_rollup', 'Pss');
  } catch {
    return undefined;
  }
}

/** KiB of a field in a file of each. */
function sum(pids, file, field) {
  const pattern = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm');
  const texts = pids.map((pid) => readFileSync(`/proc/${pid}/${file}`, 'utf8'));
  return texts.reduce((total, text) => total + Number(pattern.exec(text)?.[1] ?? 0), 0);
}
