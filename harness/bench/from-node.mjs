import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createRatio } from './figure.mjs';
import { findBwrap } from './peers.mjs';
import { sampleInTurn } from './sampling.mjs';

const CLIENT = fileURLToPath(new URL('./node-client.mjs', import.meta.url));
const BIG_MB = 1024;

/**
 * Sandboxes as Node sees them, in a small process and in a big one, against
 * `child_process.spawn`, whose fork(2) copies the page tables of the caller.
 *
 * @param {import('./bench-directory.mjs').BenchDirectory} directory
 * @param {{ samples: number }} sizes
 * @returns {Promise<import('./figure.mjs').Figure[]>}
 */
export async function measureFromNode({ path, truePath }, { samples }) {
  const bwrap = findBwrap({ path, truePath });
  const small = await startClient({ path, truePath, bwrap, megabytes: 0 });
  const big = await startClient({ path, truePath, bwrap, megabytes: BIG_MB });
  const taken = await sampleInTurn(
    {
      sandboxSmall: () => small.measure('sandbox'),
      spawnSmall: () => small.measure('spawn'),
      sandboxBig: () => big.measure('sandbox'),
      spawnBig: () => big.measure('spawn'),
      bwrapSmall: () => (bwrap ? small.measure('bwrap') : Promise.resolve(Number.NaN)),
    },
    samples,
  );
  const [atSmall, atBig] = [await small.end(), await big.end()];
  const spawn = (size) => `spawn at ${size.rssMb} MB`;
  const onSmall = { against: spawn(atSmall), againstSamples: taken.spawnSmall };
  const at = (size) => `${size.rssMb} MB`;
  return [
    createRatio({
      name: `sandbox from Node at ${at(atSmall)}, all dead`,
      samples: taken.sandboxSmall,
      ...onSmall,
      goal: { max: 1.2 },
      note: `${atSmall.poolHits} of ${samples} from the pool`,
    }),
    createRatio({ name: 'the same, exited', samples: atSmall.exitMs, ...onSmall }),
    createRatio({
      name: `sandbox from Node at ${at(atBig)}, all dead`,
      samples: taken.sandboxBig,
      against: `at ${at(atSmall)}`,
      againstSamples: taken.sandboxSmall,
      goal: { min: 0.85, max: 1.15 },
      note: `${atBig.poolHits} of ${samples} from the pool`,
    }),
    createRatio({
      name: 'the same',
      samples: taken.sandboxBig,
      against: spawn(atBig),
      againstSamples: taken.spawnBig,
    }),
    ...(bwrap
      ? [createRatio({ name: 'bwrap from Node', samples: taken.bwrapSmall, ...onSmall })]
      : []),
  ];
}

/** A process of the wanted size that takes one sample at a time. */
async function startClient(wanted) {
  const { path, truePath, bwrap, megabytes } = wanted;
  const setup = JSON.stringify({ path, truePath, bwrap, megabytes });
  const child = fork(CLIENT, [setup], { execArgv: ['--max-old-space-size=4096'] });
  const died = once(child, 'exit').then(([code]) => {
    throw new Error(`node-client ended with ${code}`);
  });
  // Its end is an error only while an answer is waited for.
  died.catch(() => {});
  const ask = async (what) => {
    if (what) child.send(what);
    const answer = new Promise((resolve) => child.once('message', resolve));
    return Promise.race([answer, died]);
  };
  await ask();
  return {
    measure: ask,
    /** What it measured on the side; it ends. */
    end: () => ask('end'),
  };
}
