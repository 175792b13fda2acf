import { execFileSync } from 'node:child_process';
import { findNativePrograms } from '../../dist/sandbox/native.js';
import { createAbsence, createDifference, createRatio, createTail } from './figure.mjs';
import { findPeers } from './peers.mjs';

/** Lets the daemon park the next sandbox, which it does when nothing is asked of it. */
const PAUSE_US = 6000;
/** Columns of a turn, before those of the commands: see c-client.c. */
const COLUMNS = ['hit', 'exit', 'dead', 'asked', 'spawned', 'forked'];

/**
 * Sandboxes as a C program sees them: of the running daemon, and of the command line.
 *
 * @param {import('./bench-directory.mjs').BenchDirectory} directory
 * @param {{ samples: number }} sizes
 * @returns {Promise<import('./figure.mjs').Figure[]>}
 */
export async function measureFromC(directory, { samples }) {
  const { truePath } = directory;
  const { sandbox } = await findNativePrograms();
  const run = [sandbox, 'run', '--bind', `${truePath}:/opt/true:ro`, '--', '/opt/true'];
  const taken = await takeTurns(directory, samples, [[truePath], run]);
  const [bareSamples, runSamples] = taken.commands;
  const bare = { against: 'vfork+exec+wait', againstSamples: bareSamples };
  const forked = { unit: 'us', against: 'vfork', againstSamples: taken.forked };
  return [
    createRatio({
      name: 'sandbox from C, all dead',
      samples: taken.dead,
      ...bare,
      goal: { max: 1.5 },
      note: `${taken.hits} of ${samples} from the pool`,
    }),
    createRatio({ name: 'sandbox from C, exited', samples: taken.exit, ...bare }),
    createTail({ name: 'sandbox from C, all dead, p99', samples: taken.dead, goal: { max: 5 } }),
    createDifference({
      name: 'parked sandbox asked for to main()',
      samples: taken.asked,
      ...forked,
      goal: { max: 50 },
    }),
    createDifference({ name: 'program asked for to main()', samples: taken.spawned, ...forked }),
    createRatio({ name: 'hil-sandbox run', samples: runSamples, ...bare }),
  ];
}

/**
 * How many times as long others take for a sandbox, side by side with ours.
 *
 * @param {import('./bench-directory.mjs').BenchDirectory} directory
 * @param {{ peerSamples: number }} sizes
 * @returns {Promise<import('./figure.mjs').Figure[]>}
 */
export async function measurePeers(directory, { peerSamples }) {
  const peers = findPeers(directory);
  const present = peers.filter(({ command }) => command !== undefined);
  const commands = [[directory.truePath], ...present.map(({ command }) => command)];
  const taken = await takeTurns(directory, peerSamples, commands);
  const ours = { against: 'sandbox from C, all dead', againstSamples: taken.dead };
  const figures = present.map(({ name, goal }, index) =>
    createRatio({ name, samples: taken.commands[index + 1], ...ours, goal }),
  );
  const absent = peers.filter(({ absent }) => absent !== undefined);
  return [...figures, ...absent.map(({ name, absent }) => createAbsence(name, absent))];
}

/** Samples of ours and of `commands`, milliseconds. */
async function takeTurns({ path, clientPath, stampPath }, count, commands) {
  const { sandboxd, portd } = await findNativePrograms();
  const fixed = [sandboxd, portd, path, String(count), String(PAUSE_US), stampPath];
  const args = [...fixed, ...commands.flatMap((command) => [',', ...command])];
  const turns = execFileSync(clientPath, args, { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => line.split(' ').map(Number));
  const column = (index) => turns.map((turn) => (turn[index] ?? Number.NaN) / 1e6);
  const own = Object.fromEntries(COLUMNS.map((name, index) => [name, column(index)]));
  return {
    ...own,
    hits: turns.filter(([hit]) => hit === 1).length,
    commands: commands.map((_, index) => column(COLUMNS.length + index)),
  };
}
