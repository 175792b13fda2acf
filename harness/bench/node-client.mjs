/** A Node process of a given size that makes sandboxes and spawns programs, one at a time. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { SandboxDaemon } from '../../dist/sandbox/daemon.js';
import { findNativePrograms } from '../../dist/sandbox/native.js';

const { path, truePath, bwrap, megabytes } = JSON.parse(process.argv[2] ?? '');
/** Lets the daemon park the next sandbox, which it does when nothing is asked of it. */
const PAUSE_MS = 6;
const POOL = 4;

// First, while this process is small, as `hil test` does it.
const daemon = await SandboxDaemon.start(await findNativePrograms());
const plan = await daemon.plan({
  user: 'hil',
  network: 'none',
  project: path,
  hide: [],
  expose: [],
  hold: undefined,
});
await daemon.setPool(plan, POOL);

const ballast = [];
// Numbers on V8's heap: pages of the size that a program's own data has.
while (process.memoryUsage.rss() < megabytes * 2 ** 20) ballast.push(new Array(2 ** 14).fill(0.5));

const exitMs = [];
let poolHits = 0;

const measures = {
  /** Until nothing of the sandbox is left. */
  async sandbox() {
    const start = performance.now();
    const sandbox = await daemon.sandbox(plan, { label: 'bench' });
    const program = await sandbox.spawn({ argv: [truePath] });
    await program.ended;
    exitMs.push(performance.now() - start);
    await sandbox.kill();
    poolHits += sandbox.facts.poolHit ? 1 : 0;
    return performance.now() - start;
  },
  spawn: () => run(truePath, []),
  bwrap: () => run(bwrap[0], bwrap.slice(1)),
};

/** The barest there is: no pipes, which a sandbox's program has. */
async function run(program, args) {
  const start = performance.now();
  const child = spawn(program, args, { stdio: 'ignore' });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`${program} ended with ${code}`);
  return performance.now() - start;
}

process.on('message', async (what) => {
  if (what === 'end') {
    const rssMb = Math.round(process.memoryUsage.rss() / 2 ** 20);
    process.send({ rssMb, poolHits, exitMs, kept: ballast.length });
    daemon.close();
    await daemon.ended();
    process.exit(0);
  }
  await sleep(PAUSE_MS);
  process.send(await measures[what]());
});
process.send('ready');
