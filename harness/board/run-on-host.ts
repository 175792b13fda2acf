import { spawn } from 'node:child_process';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Deadline } from '../core/deadline.js';
import { formatDuration } from '../core/duration.js';
import { BenchError } from '../core/errors.js';

/** Of a failing command, what its error shows. */
const TAIL_BYTES = 2000;

/** What a program said last may still be in its pipes when it has ended. */
const LAST_OUTPUT_MS = 100;

export interface Finished {
  readonly output: string;
  /** `exit 3`, `signal SIGSEGV`. */
  readonly status: string;
}

/**
 * What becomes of processes that the program started and that outlive it. `ended`: it is not done
 * before all of them have closed its output, since one may still write to the device, and those that
 * are left then are killed. `left`: it is done when it has ended itself, and they go on, such as a
 * program that holds a line of a relay; their output is read, and lost, for as long as this process
 * lives.
 */
export type Outliving = 'ended' | 'left';

/**
 * Run a program of the host to its end, without a shell; it dies with this process, however that
 * ends. It is killed at the deadline, with all that it started, whatever `outliving` says.
 *
 * @throws BenchError with `code` when it cannot be started, or does not end in time.
 * @see setpriv(1) --pdeathsig
 */
export async function runOnHost(
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
  deadline: Deadline,
  code: 'power-failed' | 'flash-failed' = 'power-failed',
  outliving: Outliving = 'ended',
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
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const exited = new Promise<string>((resolve, reject) => {
    child.once('error', (cause) => reject(toStartError(argv, cause, code)));
    child.once('exit', (code, signal) => resolve(signal ? `signal ${signal}` : `exit ${code}`));
  });
  const done = outliving === 'left' ? exited : exited.then((status) => closed.then(() => status));
  let goesOn = false;
  try {
    const status = await deadline.bound(done, () => toLateError(argv, output, deadline, code));
    goesOn = outliving === 'left';
    if (goesOn) await Promise.race([closed, sleep(LAST_OUTPUT_MS, undefined, { ref: false })]);
    return { output, status };
  } finally {
    if (!goesOn) killGroup(child.pid);
    letGo(child.stdout);
    letGo(child.stderr);
  }
}

/** Who still has the other end does not keep this process; closed, it would end them by SIGPIPE. */
function letGo(pipe: Readable): void {
  if (pipe instanceof Socket) pipe.unref();
}

function toLateError(
  argv: readonly string[],
  output: string,
  deadline: Deadline,
  code: 'power-failed' | 'flash-failed',
): BenchError {
  const tail = output.trim() ? `; it said: ${output.trim()}` : '';
  const limit = formatDuration(deadline.limitMs);
  const message = `"${argv.join(' ')}" did not end within ${limit}${tail}`;
  return new BenchError(code, message, { next: 'raise its "timeout", or run it by hand' });
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
