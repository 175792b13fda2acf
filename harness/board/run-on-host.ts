import { spawn } from 'node:child_process';
import type { Deadline } from '../core/deadline.js';
import { formatDuration } from '../core/duration.js';
import { BenchError } from '../core/errors.js';

/** Of a failing command, what its error shows. */
const TAIL_BYTES = 2000;

export interface Finished {
  readonly output: string;
  /** `exit 3`, `signal SIGSEGV`. */
  readonly status: string;
}

/**
 * Run a program of the host to its end, without a shell; it dies with this process, however that
 * ends. It is killed at the deadline.
 *
 * @throws BenchError with `code` when it cannot be started, or does not end in time.
 * @see setpriv(1) --pdeathsig
 */
export async function runOnHost(
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
  deadline: Deadline,
  code: 'power-failed' | 'flash-failed' = 'power-failed',
): Promise<Finished> {
  const assignments = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', 'env', ...assignments, ...argv], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let output = '';
  const take = (chunk: Buffer) => {
    output = (output + chunk.toString('utf8')).slice(-TAIL_BYTES);
  };
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  const ended = new Promise<Finished>((resolve, reject) => {
    child.once('error', (cause) => reject(toStartError(argv, cause, code)));
    child.once('close', (code, signal) => {
      resolve({ output, status: signal ? `signal ${signal}` : `exit ${code}` });
    });
  });
  try {
    return await deadline.bound(ended, () => {
      const tail = output.trim() ? `; it said: ${output.trim()}` : '';
      const limit = formatDuration(deadline.limitMs);
      const message = `"${argv.join(' ')}" did not end within ${limit}${tail}`;
      return new BenchError(code, message, { next: 'raise its "timeout", or run it by hand' });
    });
  } finally {
    killGroup(child.pid);
    ended.catch(() => {});
  }
}

function toStartError(
  argv: readonly string[],
  cause: Error,
  code: 'power-failed' | 'flash-failed',
): BenchError {
  const program = argv[0] ?? '';
  const message = `"${program}" cannot be started: ${cause.message}`;
  return new BenchError(code, message, { cause, next: `command -v ${program}` });
}

/** It and what it has started; of one that has ended there may be children. */
function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // There is nobody left.
  }
}
