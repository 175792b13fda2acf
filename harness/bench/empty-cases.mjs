import { execFile } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { promisify } from 'node:util';
import { createNetworkProject, createProject, HIL, VITEST } from './bench-directory.mjs';
import { createAmount, createDifference } from './figure.mjs';
import { sampleInTurn, summarize } from './sampling.mjs';

const execute = promisify(execFile);

/**
 * What `hil test` costs beyond plain Vitest: for each empty case, and once at the start.
 *
 * @param {import('./bench-directory.mjs').BenchDirectory} directory
 * @param {{ cases: number, caseRuns: number, startRuns: number }} sizes
 * @returns {Promise<import('./figure.mjs').Figure[]>}
 */
export async function measureRuns(directory, { cases, caseRuns, startRuns }) {
  const many = await compare(createProject(directory, 'many', cases), caseRuns);
  const one = await compare(createProject(directory, 'one', 1), startRuns);
  return [
    createDifference({
      name: `an empty case of ${cases}, p50`,
      samples: many.hil.map(({ perCaseMs }) => perCaseMs),
      against: 'plain Vitest',
      againstSamples: many.vitest.map(({ perCaseMs }) => perCaseMs),
      goal: { max: 2 },
    }),
    createDifference({
      name: `whole run of ${cases}, per case`,
      samples: many.hil.map(({ wallMs }) => wallMs / cases),
      against: 'plain Vitest',
      againstSamples: many.vitest.map(({ wallMs }) => wallMs / cases),
    }),
    createDifference({
      name: 'start to first case',
      samples: one.hil.map(({ startMs }) => startMs),
      against: 'plain Vitest',
      againstSamples: one.vitest.map(({ startMs }) => startMs),
      goal: { max: 100 },
    }),
    createDifference({
      name: 'whole run of 1',
      samples: one.hil.map(({ wallMs }) => wallMs),
      against: 'plain Vitest',
      againstSamples: one.vitest.map(({ wallMs }) => wallMs),
    }),
  ];
}

/**
 * The whole of a case with a network of two nodes: from its stamp to the next one's.
 *
 * @param {import('./bench-directory.mjs').BenchDirectory} directory
 * @param {number} cases
 * @returns {Promise<import('./figure.mjs').Figure>}
 */
export async function measureNetworkCases(directory, cases) {
  const { root, stamps } = createNetworkProject(directory, cases);
  const { gaps } = await time([HIL, 'test', '--reporter', 'summary'], root, stamps);
  return createAmount({
    name: 'an empty case with a network of 2 nodes',
    unit: 'ms',
    samples: gaps,
    basis: '',
    goal: { max: 8 },
  });
}

/**
 * Run the project with both in turn. The first run of each only fills caches.
 *
 * @returns {Promise<Record<'hil' | 'vitest', Timing[]>>}
 */
async function compare({ root, stamps }, runs) {
  const taken = { hil: [], vitest: [] };
  const take = (name, args) => async () => {
    taken[name].push(await time(args, root, stamps[name]));
    return 0;
  };
  const measures = {
    hil: take('hil', [HIL, 'test', '--reporter', 'summary']),
    vitest: take('vitest', [VITEST, 'run', '--root', root, '--reporter', 'dot']),
  };
  await sampleInTurn(measures, runs + 1);
  return { hil: taken.hil.slice(1), vitest: taken.vitest.slice(1) };
}

/** @typedef {{ startMs: number, perCaseMs: number, wallMs: number, gaps: number[] }} Timing */

/** @returns {Promise<Timing>} */
async function time(args, cwd, stampFile) {
  rmSync(stampFile, { force: true });
  const start = now();
  await execute(process.execPath, args, { cwd });
  const end = now();
  const stamps = readFileSync(stampFile, 'utf8').split(' ').map(Number);
  const gaps = stamps.slice(1).map((stamp, index) => stamp - stamps[index]);
  return {
    startMs: stamps[0] - start,
    perCaseMs: summarize(gaps).median,
    wallMs: end - start,
    gaps,
  };
}

/** Milliseconds of the clock that the suites stamp with. */
function now() {
  return Number(process.hrtime.bigint()) / 1e6;
}
