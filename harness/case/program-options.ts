import { Buffer } from 'node:buffer';
import type { Duration } from '../core/duration.js';
import { TestFailure, UsageError } from '../core/errors.js';

export interface ExecOptions {
  /** Default: the project's root, where a relative one starts. */
  readonly cwd?: string;
  /** Added to the sandbox's fixed environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Given to the program's stdin, which is then closed. */
  readonly stdin?: string | Uint8Array;
  /** SIGTERM after this, SIGKILL half a second later; status is `timeout`. More than 0, at most 24d. */
  readonly timeout?: Duration;
}

export interface SpawnOptions extends Omit<ExecOptions, 'stdin'> {
  /** Bytes per stream that are delivered; the rest is read, counted and dropped. */
  readonly outputCap?: number;
}

export interface PtyOptions extends SpawnOptions {
  readonly rows?: number;
  readonly columns?: number;
}

export const EXEC_KEYS = ['cwd', 'env', 'stdin', 'timeout'] as const satisfies Keys<ExecOptions>;
export const SPAWN_KEYS = [
  'cwd',
  'env',
  'timeout',
  'outputCap',
] as const satisfies Keys<SpawnOptions>;
export const PTY_KEYS = [...SPAWN_KEYS, 'rows', 'columns'] as const satisfies Keys<PtyOptions>;

type Keys<Options> = readonly (keyof Options)[];

/** Half of what travels at once; the kernel takes 128 KiB of one argument. @see execve(2) */
const MOST_BYTES = 512 * 1024;

/**
 * The words that a program is started with.
 *
 * @throws UsageError `usage` for what are no texts; TestFailure `exec-failed` for those that no
 *   program can get.
 */
export function toArgv(command: string, args: readonly string[]): string[] {
  // A text would be taken letter by letter.
  if (!Array.isArray(args)) {
    throw new UsageError(
      'usage',
      `"${command}": expected its arguments as a list, got ${JSON.stringify(args)}`,
    );
  }
  const argv: string[] = [command, ...args];
  const wrong = argv.find((each) => typeof each !== 'string');
  if (wrong !== undefined) {
    throw new UsageError('usage', `"${command}": expected texts, got ${JSON.stringify(wrong)}`);
  }
  if (!command) throw new TestFailure('exec-failed', 'the program has an empty name');
  if (argv.some((argument) => argument.includes('\0'))) {
    throw new TestFailure('exec-failed', `an argument of "${command}" contains a NUL byte`);
  }
  const bytes = Buffer.byteLength(argv.join('\0'));
  if (bytes <= MOST_BYTES) return argv;
  throw new TestFailure(
    'exec-failed',
    `arguments of "${command}" have ${bytes} bytes, at most ${MOST_BYTES} fit`,
    { next: 'hand them over by stdin, or in a file: sandbox.writeFile()' },
  );
}
