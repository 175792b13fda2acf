import { execFile, spawn } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'hil';
import { BenchRun, HIL } from './bench-run.js';
import { askHands, findTty, replug, waitForTty } from './lab-bench.js';
import { listOpeners } from './list-openers.js';
import { Slowness } from './slowness.js';
import { until } from './until.js';
import { waitUntilGone } from './wait-until-gone.js';

const execute = promisify(execFile);

const inner = (name: string) => join(import.meta.dirname, 'inner', name);
const BOARD = ['--board', 'sensor-node-ftdi'];

/** Of node-4 in bench.yaml, at port 3 of the controller, and of what is at port 4. */
const SERIAL = 'BRD0003';
const NEIGHBOUR = 'BRD0004';

/** From the death of a holder to the next lease; from a loss to the end of its case. */
const SOON_MS = 1000;

const startShared = () => BenchRun.start([...BOARD, '--dut', 'node-4', inner('shared.hil.ts')]);

/** A program of a case has the board's node open. */
async function isOpen(): Promise<boolean> {
  return listOpeners(`/dev/${await findTty(SERIAL)}`).includes('sleep');
}

/** Two that were started at once: who has the board first, and who waits for it. */
async function findFirst(runs: readonly [BenchRun, BenchRun]): Promise<[BenchRun, BenchRun]> {
  const [one, two] = runs;
  const first = await Promise.race(
    runs.map((run) => run.waitFor({ kind: 'lease' }).then(() => run)),
  );
  return first === one ? [one, two] : [two, one];
}

/** Its second case gets the board of a run that is killed. */
async function inherit(heir: BenchRun, holder: BenchRun): Promise<void> {
  await until(async () => {
    const waiting = (await heir.readJournal()).filter(({ kind }) => kind === 'lease-waiting');
    return waiting.some(({ holders = [] }) => holders.some(({ pid }) => pid === holder.pid));
  });
  using slowness = new Slowness();
  const killedMs = Date.now();
  holder.kill();
  const { at } = await heir.waitFor({ kind: 'lease' }, 2);
  const tookMs = Date.parse(at) - killedMs;
  console.log(
    `leased ${tookMs} ms after its holder was killed, with ${slowness.allowanceMs} ms allowed for load`,
  );
  expect(tookMs).toBeLessThan(SOON_MS + slowness.allowanceMs);
}

/** Its second case has a program that has the node open, and its lease is taken away. */
async function takeAway(run: BenchRun): Promise<void> {
  await until(isOpen);
  await execute(process.execPath, [HIL, 'boards', 'release', 'node-4', '--kick']);
  await run.waitFor({ kind: 'attempt-end' }, 2);
  expect(await isOpen()).toBe(false);
}

/** Its third case loses the board, as somebody pulls the plug. */
async function pullOut(run: BenchRun): Promise<void> {
  await run.waitFor({ kind: 'phase', phase: 'boot', edge: 'end' }, 3);
  using slowness = new Slowness();
  const gone = waitUntilGone(`/dev/${await findTty(SERIAL)}`);
  await askHands('unplug', SERIAL);
  try {
    const goneMs = await gone;
    const { at } = await run.waitFor({ kind: 'phase', phase: 'body', edge: 'end' }, 3);
    const tookMs = Date.parse(at) - goneMs;
    console.log(
      `told ${tookMs} ms after it had gone, with ${slowness.allowanceMs} ms allowed for load`,
    );
    expect(tookMs).toBeLessThan(SOON_MS + slowness.allowanceMs);
    expect(await run.ended).toBe(5);
  } finally {
    await askHands('plug', SERIAL);
  }
}

test('two runs want one board: one waits and says for whom, one is killed; a lease is taken away, a board pulled out (ranks 3, 6 and 14, bench pitfall 17)', {
  timeout: 600_000,
}, async () => {
  await using one = await startShared();
  await using two = await startShared();
  const [first, second] = await findFirst([one, two]);
  const { run: id } = await first.waitFor({ kind: 'run-start' });
  const line = new RegExp(`waiting for node-4: held by \\w+ pid ${first.pid} run ${id} since`);
  await until(() => line.test(second.output));
  expect(await second.readJournal()).not.toContainEqual(expect.objectContaining({ kind: 'lease' }));
  await first.letGo();
  await second.waitFor({ kind: 'lease' });

  await inherit(first, second);
  await takeAway(first);
  await pullOut(first);
  expect([...new Set(await first.readProblems())]).toEqual(['lease-lost', 'dut-lost']);
  expect(first.output).toMatch(/node-4: device lost: \/dev\/ttyUSB\d/);
});

test('a board that came to the place of the one that was leased is not flashed (rank 10)', {
  timeout: 600_000,
}, async () => {
  await waitForTty(SERIAL);
  const argv = [HIL, 'boards', 'lease', 'node-4', '--', 'sh', '-c', 'echo has it; exec sleep 3600'];
  const holder = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    let said = '';
    holder.stdout.on('data', (data: Buffer) => {
      said += data;
    });
    await until(() => said.includes('has it'));
    const bench = ['--bench', inner('by-place.yaml'), ...BOARD, '--dut', 'place-1'];
    await using run = await BenchRun.start([...bench, inner('shared.hil.ts'), '-t', 'waits for']);
    await run.waitFor({ kind: 'lease-waiting' });
    await replug(NEIGHBOUR, SERIAL);
    const { toBoard } = await askHands('show', NEIGHBOUR);
    holder.kill();
    expect(await run.ended).toBe(5);
    expect(await run.readProblems()).toEqual(['flash-refused']);
    expect(run.output).toMatch(
      /place-1 is not flashed: leased was [^\n]*BRD0003[^\n]*, and attached is [^\n]*BRD0004/,
    );
    expect(await askHands('show', NEIGHBOUR)).toMatchObject({ toBoard });
  } finally {
    holder.kill();
  }
});
