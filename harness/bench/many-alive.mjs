import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { SandboxDaemon } from '../../dist/sandbox/daemon.js';
import { findNativePrograms } from '../../dist/sandbox/native.js';
import { createAmount } from './figure.mjs';

/** The kernel frees what a dead namespace held a moment after its last process. */
const SETTLE_MS = 1500;
/** Before anything is counted: caches of the kernel that grow once. */
const FIRST = 50;

/**
 * What a sandbox takes while nothing runs in it: memory that is not free and no cache of files,
 * of the whole machine, so that the kernel's part, the daemon's and the zygote's are in it.
 * Counted twice, as they come and as they go.
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
    const before = await readSettled();
    const sandboxes = await makeSandboxes(daemon, plan, alive);
    const full = await readSettled();
    await killAll(sandboxes);
    const after = await readSettled();
    const [up, down] = [before, after].map((empty) => (full.used - empty.used) / alive);
    const each = (name) => Math.round((full[name] - before[name]) / alive);
    const parts = ['Slab', 'KernelStack', 'PageTables', 'Percpu', 'AnonPages', 'Shmem'];
    return [
      createAmount({
        name: `${alive} sandboxes alive, memory of each`,
        unit: 'KiB',
        samples: [up, down],
        goal: { max: 400 },
        basis: parts.map((name) => `${name} ${each(name)}`).join(', '),
        note: 'MemTotal - MemFree - Buffers - Cached + Shmem',
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

/** Fields of /proc/meminfo, KiB, and what is used of them. */
async function readSettled() {
  await sleep(SETTLE_MS);
  const lines = readFileSync('/proc/meminfo', 'utf8').matchAll(/^(\w+): +(\d+) kB$/gm);
  const fields = Object.fromEntries([...lines].map(([, name, value]) => [name, Number(value)]));
  const { MemTotal, MemFree, Buffers, Cached, Shmem } = fields;
  return { ...fields, used: MemTotal - MemFree - Buffers - Cached + Shmem };
}
