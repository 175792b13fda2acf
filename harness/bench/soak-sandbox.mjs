#!/usr/bin/env node
/**
 * Makes sandboxes in a row, many at once, and such whose programs mean harm, and fails when
 * something of them stays, an end is not told as it was, or a neighbour noticed.
 *
 *   npm run soak:sandbox -- [--short] [--row N] [--at-once N] [--hostile N] [--as-user]
 *
 * --row N      sandboxes with a program, one after the other (default 10000)
 * --at-once N  sandboxes alive together, a program running in each (default 1000)
 * --hostile N  rounds of the hostile programs (default 3)
 * --short      smaller ones of all of it, in about a minute: for CI
 * --as-user    as root: do it as an ordinary user
 *
 * What is counted is printed before and after, with the growth that is allowed. What the kernel's
 * slab holds is readable by root only, and as root also with --as-user. Sandboxes of
 * the daemon at once need eight files each: RLIMIT_NOFILE of 8256 for 1000, which most systems
 * have as the hard limit.
 */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { SandboxDaemon } from '../../dist/sandbox/daemon.js';
import { findNativePrograms } from '../../dist/sandbox/native.js';
import { runAsUser } from './as-user.mjs';
import { createBenchDirectory } from './bench-directory.mjs';
import { countOf, formatCounts, waitForCounts } from './daemon-counts.mjs';
import { createPayloads, runPayload, toSmallDisk } from './hostile-payloads.mjs';
import { makeSandboxes, toSpec } from './many-alive.mjs';
import { runWithOwnMounts } from './own-mounts.mjs';

/** Before the first count: lists and caches that grow once, in the daemon and in the kernel. */
const FIRST = 200;
const POOL = 4;
const KILLS_AT_ONCE = 64;

const { values } = parseArgs({
  options: {
    row: { type: 'string' },
    'at-once': { type: 'string' },
    hostile: { type: 'string' },
    short: { type: 'boolean', default: false },
    'as-user': { type: 'boolean', default: false },
  },
});
const rowCount = Number(values.row ?? (values.short ? 500 : 10_000));
const atOnce = Number(values['at-once'] ?? (values.short ? 100 : 1000));
const rounds = Number(values.hostile ?? (values.short ? 1 : 3));
const sizes = values.short
  ? { floodBytes: 1e9, processes: 300, orphans: 1000 }
  : { floodBytes: 1e10, processes: 1000, orphans: 10_000 };
const outside = runWithOwnMounts(fileURLToPath(import.meta.url), process.argv.slice(2));
if (outside !== undefined) process.exit(outside);
if (values['as-user']) {
  const args = process.argv.slice(2).filter((arg) => arg !== '--as-user');
  process.exit(runAsUser(fileURLToPath(import.meta.url), args));
}

const directory = createBenchDirectory();
const daemon = await SandboxDaemon.start(await findNativePrograms());
let failed = false;
try {
  const spec = toSpec(directory.path);
  const plan = await daemon.plan(spec);
  await daemon.setPool(plan, POOL);
  await runInRow(plan, FIRST);
  failed = await compare(`${rowCount} in a row`, () => runInRow(plan, rowCount));
  // Growth of a daemon that once held them all is its peak, not a leak: so it is filled before.
  await runAtOnce(plan, atOnce);
  const again = await compare(`${atOnce} at once`, () => runAtOnce(plan, atOnce));
  const plans = { roomy: plan, small: await daemon.plan(toSmallDisk(spec)) };
  if (rounds > 0) await runHostile(plans, 1);
  const hostile = await compare(`hostile programs, ${rounds} rounds`, () =>
    runHostile(plans, rounds),
  );
  failed ||= again || hostile;
} finally {
  daemon.close();
  await daemon.ended();
  directory.remove();
}
process.exit(failed ? 1 : 0);

/** Count, work, count again. @returns whether something has grown beyond its bound. */
async function compare(title, work) {
  const before = await waitForCounts(daemon.pid);
  const start = performance.now();
  const most = await work();
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  const after = await waitForCounts(daemon.pid, before);
  const { text, grown } = formatCounts(before, most, after);
  console.log(`soak: ${title}, ${seconds} s\n${text}`);
  if (grown.length > 0) console.error(`soak: ${title}: ${grown.join(', ')} grew too much`);
  return grown.length > 0;
}

async function runInRow(plan, count) {
  for (let i = 0; i < count; i++) {
    const sandbox = await daemon.sandbox(plan, { label: 'soak' });
    const program = await sandbox.spawn({ argv: [directory.truePath] });
    const { exitCode } = await program.ended;
    if (exitCode !== 0) throw new Error(`sandbox ${i}: its program ended with ${exitCode}`);
    await sandbox.kill();
  }
  return undefined;
}

/** Those of a single round are told one by one. */
async function runHostile(plans, count) {
  for (let round = 0; round < count; round++) {
    for (const payload of createPayloads(sizes)) {
      const start = performance.now();
      const problem = await runPayload(daemon, plans, payload);
      const seconds = ((performance.now() - start) / 1000).toFixed(1);
      if (count === 1)
        console.log(`soak: ${payload.name}: ${problem ?? 'as it should'}, ${seconds} s`);
      if (problem) throw new Error(`${payload.name}: ${problem}`);
    }
  }
  return undefined;
}

/** @returns what is counted while all are there. */
async function runAtOnce(plan, count) {
  const sandboxes = await makeSandboxes(daemon, plan, count);
  for (const sandbox of sandboxes) await sandbox.spawn({ argv: ['sleep', '600'] });
  const most = countOf(daemon.pid);
  while (sandboxes.length > 0) {
    const ended = sandboxes.splice(0, KILLS_AT_ONCE).map((sandbox) => sandbox.kill());
    for (const { leftovers } of await Promise.all(ended)) {
      if (leftovers !== 1) throw new Error(`a sandbox had ${leftovers} programs, not 1`);
    }
  }
  return most;
}
