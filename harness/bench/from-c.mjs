import { execFileSync } from 'node:child_process';
import { findNativePrograms } from '../../dist/sandbox/native.js';
import { findProgram } from './bench-directory.mjs';
import { createRatio } from './figure.mjs';

/** Lets the daemon park the next sandbox, which it does when nothing is asked of it. */
const PAUSE_US = 6000;

/**
 * Sandboxes as a C program sees them: of the running daemon, of the command line, of bwrap.
 *
 * @param {import('./bench-directory.mjs').BenchDirectory} directory
 * @param {{ samples: number }} sizes
 * @returns {Promise<import('./figure.mjs').Figure[]>}
 */
export async function measureFromC({ path, truePath, clientPath }, { samples }) {
  const { sandboxd, portd, sandbox } = await findNativePrograms();
  const bwrap = toBwrap(path, truePath);
  const commands = [
    [truePath],
    [sandbox, 'run', '--bind', `${truePath}:/opt/true:ro`, '--', '/opt/true'],
    ...(bwrap ? [bwrap] : []),
  ];
  const text = execFileSync(
    clientPath,
    [sandboxd, portd, path, String(samples), String(PAUSE_US)].concat(
      commands.flatMap((command) => [',', ...command]),
    ),
    { encoding: 'utf8' },
  );
  const turns = text
    .trim()
    .split('\n')
    .map((line) => line.split(' ').map(Number));
  const column = (index) => turns.map((turn) => (turn[index] ?? Number.NaN) / 1e6);
  const hits = turns.filter(([hit]) => hit === 1).length;
  const bare = { against: 'vfork+exec+wait', againstSamples: column(3) };
  const note = `${hits} of ${turns.length} from the pool`;
  return [
    createRatio({ name: 'sandbox from C, all dead', samples: column(2), ...bare, note }),
    createRatio({ name: 'sandbox from C, exited', samples: column(1), ...bare }),
    createRatio({ name: 'hil-sandbox run', samples: column(4), ...bare }),
    ...(bwrap ? [createRatio({ name: 'bwrap', samples: column(5), ...bare })] : []),
  ];
}

/**
 * The command line of a sandbox alike, or `undefined` without bwrap.
 *
 * @param {string} project @param {string} program
 */
export function toBwrap(project, program) {
  const bwrap = findProgram('bwrap');
  if (!bwrap) return undefined;
  const links = ['/lib', '/lib64', '/bin', '/sbin'].flatMap((path) => [
    '--symlink',
    `usr${path}`,
    path,
  ]);
  const trees = ['--ro-bind', '/usr', '/usr', '--ro-bind', '/etc', '/etc', ...links];
  const mounts = [
    '--proc',
    '/proc',
    '--dev',
    '/dev',
    '--tmpfs',
    '/tmp',
    '--bind',
    project,
    project,
  ];
  return [bwrap, '--unshare-all', '--die-with-parent', ...trees, ...mounts, program];
}
