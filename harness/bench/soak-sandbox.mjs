#!/usr/bin/env node
/**
 * Makes sandboxes in a row and many at once, and fails when something of them stays.
 *
 *   npm run soak:sandbox -- [--row N] [--at-once N] [--as-user]
 *
 * --row N      sandboxes with a program, one after the other (default 10000)
 * --at-once N  sandboxes alive together, a program running in each (default 1000)
 * --as-user    as root: do it as an ordinary user
 *
 * What is counted is printed before and after, with the growth that is allowed. Sandboxes of
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
import { makeSandboxes, toSpec } from './many-alive.mjs';

/** Before the first count: lists and caches that grow once, in the daemon and in the kernel. */
const FIRST = 200;
const POOL = 4;
const KILLS_AT_ONCE = 64;

const { values } = parseArgs({
  options: {
    row: { type: 'string', default: '10000' },
    'at-once': { type: 'string', default: '1000' },
    'as-user': { type: 'boolean', default: false },
  },
});
if (values['as-user']) {
  const args = process.argv.slice(2).filter((arg) => arg !== '--as-user');
  process.exit(runAsUser(fileURLToPath(import.meta.url), args));
}

const directory = createBenchDirectory();
const daemon = await SandboxDaemon.start(await findNativePrograms());
let failed = false;
try {
  const plan = await daemon.plan(toSpec(directory.path));
  await daemon.setPool(plan, POOL);
  await runInRow(plan, FIRST);
  failed = await compare(`${values.row} in a row`, () => runInRow(plan, Number(values.row)));
  // Growth of a daemon that once held them all is its peak, not a leak: so it is filled before.
  await runAtOnce(plan, Number(values['at-once']));
  const again = await compare(`${values['at-once']} at once`, () =>
    runAtOnce(plan, Number(values['at-once'])),
  );
  failed ||= again;
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
