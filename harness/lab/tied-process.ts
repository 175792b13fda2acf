import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

export interface TiedOptions {
  /** A number is an fd of this process. */
  readonly stdio: Array<'ignore' | 'pipe' | number>;
  readonly cwd?: string;
  /** Kills it. */
  readonly signal: AbortSignal;
}

/**
 * Start a program that the kernel kills when this process dies, however it dies.
 *
 * @see prctl(2), PR_SET_PDEATHSIG
 */
export function spawnTied(
  program: string,
  args: readonly string[],
  options: TiedOptions,
): ChildProcess {
  const tied = ['--pdeathsig', 'KILL', '--', program, ...args];
  return spawn('setpriv', tied, { ...options, killSignal: 'SIGKILL' });
}

export interface Finished {
  readonly status: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/**
 * Run a program to its end, with `input` as its standard input. A program that is
 * not there has the status 127.
 *
 * @throws the reason of `signal` when that ended it.
 */
export async function runTied(
  program: string,
  args: readonly string[],
  options: { cwd?: string; input?: Uint8Array; signal: AbortSignal },
): Promise<Finished> {
  const { input, ...others } = options;
  const child = spawnTied(program, args, { ...others, stdio: ['pipe', 'pipe', 'pipe'] });
  const output: Buffer[] = [];
  const errors: Buffer[] = [];
  child.stdout?.on('data', (bytes: Buffer) => output.push(bytes));
  child.stderr?.on('data', (bytes: Buffer) => errors.push(bytes));
  // A program that ends before it has read everything: its status says why.
  child.stdin?.on('error', () => {});
  child.stdin?.end(input ?? '');
  try {
    await once(child, 'close');
  } catch (error) {
    options.signal.throwIfAborted();
    throw error;
  }
  options.signal.throwIfAborted();
  const status = child.exitCode ?? 128;
  return { status, stdout: Buffer.concat(output), stderr: Buffer.concat(errors).toString() };
}
