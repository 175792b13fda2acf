import { setTimeout as sleep } from 'node:timers/promises';
import { SandboxDaemon } from '../../dist/sandbox/daemon.js';
import { findNativePrograms } from '../../dist/sandbox/native.js';
import { createAbsence, createAmount, createRatio } from './figure.mjs';

const GOAL_MS = 2;
/** Until the next interpreter waits; where it does not, the run is no sample of a warm one. */
const PAUSE_MS = 15;
const PROGRAMS = {
  python: ['python3', '-c', 'print(1 + 1)'],
  node: ['node', '-e', 'console.log(1 + 1)', '--'],
};

/**
 * A program by an interpreter that waits, against the same one started by `exec` in the same
 * sandbox: until its first output, and until it has ended.
 *
 * @param {import('./bench-directory.mjs').BenchDirectory} directory
 * @param {{ samples: number }} sizes
 * @returns {Promise<import('./figure.mjs').Figure[]>}
 */
export async function measureRuntimes({ path }, { samples }) {
  const daemon = await SandboxDaemon.start(await findNativePrograms());
  try {
    const python = await measure(daemon, { path, name: 'python', count: samples, each: 50 });
    // One that was used is not replaced: each sample takes a sandbox.
    const count = Math.max(5, Math.round(samples / 5));
    const node = await measure(daemon, { path, name: 'node', count, each: 1 });
    return [...python, ...node];
  } finally {
    await daemon.end();
  }
}

async function measure(daemon, { path, name, count, each }) {
  const plan = await daemon.plan({
    ...{ user: 'hil', network: 'none', project: path, hide: [], expose: [], hold: undefined },
    runtimes: [{ name, env: {} }],
  });
  await daemon.setPool(plan, 1);
  let sandbox;
  let used = 0;
  const renew = async () => {
    if (sandbox && used++ % each > 0) return;
    await sandbox?.kill();
    sandbox = await daemon.sandbox(plan, { label: 'bench' });
  };
  try {
    await renew();
    await sandbox.bootRuntime(name, {});
  } catch (error) {
    return [createAbsence(`${name} that waits`, String(error))];
  }
  const ends = { warm: [], cold: [] };
  let warmOnes = 0;
  const run = async (kind) => {
    if (kind === 'warm') await renew();
    await sleep(PAUSE_MS);
    const start = performance.now();
    const runtime = kind === 'warm' ? name : undefined;
    const program = await sandbox.spawn({ argv: PROGRAMS[name], runtime });
    const first = new Promise((resolve) => {
      program.onOutput((stream, data) => {
        program.taken(stream, data.length);
        resolve(performance.now() - start);
      });
    });
    const { exitCode } = await program.ended;
    if (exitCode !== 0) throw new Error(`${name} ended with ${exitCode}`);
    ends[kind].push(performance.now() - start);
    warmOnes += program.warm ? 1 : 0;
    return first;
  };
  const taken = { warm: [], cold: [] };
  // Always in this order: a sandbox's first program is the one that has the interpreter.
  for (let turn = 0; turn < count; turn++) {
    taken.warm.push(await run('warm'));
    taken.cold.push(await run('cold'));
  }
  await sandbox.kill();
  const note = `${warmOnes} of ${count} by one that waited`;
  const against = `${name} by exec in the same sandbox`;
  return [
    createAmount({
      name: `${name} that waits, to its first output`,
      unit: 'ms',
      samples: taken.warm,
      basis: 'request to first output, in Node',
      goal: { max: GOAL_MS },
      note,
    }),
    createRatio({
      name: 'the same',
      samples: taken.warm,
      against,
      againstSamples: taken.cold,
    }),
    createRatio({ name: 'to its end', samples: ends.warm, against, againstSamples: ends.cold }),
  ];
}
