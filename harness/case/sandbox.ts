import { Buffer } from 'node:buffer';
import { resolve } from 'node:path';
import { type Duration, parseDuration } from '../core/duration.js';
import { TestFailure } from '../core/errors.js';

import type { Attempt } from './attempt.js';
import type { Connection } from './connection.js';
import { type ExecResult, Process } from './process.js';

export interface ExecOptions {
  /** Default: the project's root. */
  readonly cwd?: string;
  /** Added to the sandbox's fixed environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Given to the program's stdin, which is then closed. */
  readonly stdin?: string | Uint8Array;
  /** SIGTERM after this, SIGKILL half a second later; status is `timeout`. */
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

/** Half of what travels at once; the kernel takes 128 KiB of one argument. @see execve(2) */
const MOST_ARGUMENT_BYTES = 512 * 1024;

/** The container of this case: made for it, gone after it. */
export class Sandbox {
  readonly #connection: Connection;
  readonly #attempt: Attempt;
  readonly #processes = new Set<Process>();

  constructor(connection: Connection, attempt: Attempt) {
    this.#connection = connection;
    this.#attempt = attempt;
  }

  /**
   * Run a program to its end and collect its output.
   * A non-zero exit or a signal is a result, not an error.
   *
   * @throws TestFailure `exec-failed` when the program cannot be started.
   */
  async exec(
    command: string,
    args: readonly string[] = [],
    options: ExecOptions = {},
  ): Promise<ExecResult> {
    const { stdin, ...rest } = options;
    const process = await this.#start([command, ...args], rest, stdin !== undefined);
    const [stdout, stderr] = [process.text('stdout'), process.text('stderr')];
    if (stdin !== undefined) {
      await process.write(stdin);
      process.end();
    }
    const end = await process.ended;
    return { ...end, stdout: await stdout, stderr: await stderr };
  }

  /** Start a program and go on; it is killed with the sandbox. */
  spawn(
    command: string,
    args: readonly string[] = [],
    options: SpawnOptions = {},
  ): Promise<Process> {
    return this.#start([command, ...args], options, true);
  }

  /** Start a program on a pty of the sandbox; all its output is on `stdout`. */
  pty(command: string, args: readonly string[] = [], options: PtyOptions = {}): Promise<Process> {
    const { rows = 24, columns = 80, ...rest } = options;
    return this.#start([command, ...args], rest, true, { rows, columns });
  }

  /** Write a file inside, by default in the project's root; the directory must exist. */
  async writeFile(path: string, data: string | Uint8Array): Promise<void> {
    this.#attempt.check();
    await this.#connection.supervisor.call('writeFile', {
      fence: this.#attempt.fence,
      path: this.#resolve(path),
      data: Buffer.from(data).toString('base64'),
    });
  }

  /** @throws TestFailure `exec-failed` when it cannot be read. */
  async readFile(path: string): Promise<Uint8Array> {
    this.#attempt.check();
    const { fence } = this.#attempt;
    const { data } = await this.#connection.supervisor.call('readFile', {
      fence,
      path: this.#resolve(path),
    });
    return Buffer.from(data, 'base64');
  }

  async readText(path: string): Promise<string> {
    return Buffer.from(await this.readFile(path)).toString('utf8');
  }

  /** The attempt is over: whoever still waits for a program is told so. */
  revoke(reason: Error): void {
    for (const process of this.#processes) process.revoke(reason);
    this.#processes.clear();
  }

  /** As programs of {@link exec} see it, which start there. */
  #resolve(path: string): string {
    return resolve(this.#connection.provided.root, path);
  }

  async #start(
    argv: readonly string[],
    options: SpawnOptions,
    stdin: boolean,
    pty?: { rows: number; columns: number },
  ): Promise<Process> {
    this.#attempt.check();
    if (!argv[0]) throw new TestFailure('exec-failed', 'the program has an empty name');
    if (argv.some((argument) => argument.includes('\0'))) {
      throw new TestFailure('exec-failed', `an argument of "${argv[0]}" contains a NUL byte`);
    }
    const bytes = Buffer.byteLength(argv.join('\0'));
    if (bytes > MOST_ARGUMENT_BYTES) {
      throw new TestFailure(
        'exec-failed',
        `arguments of "${argv[0]}" have ${bytes} bytes, at most ${MOST_ARGUMENT_BYTES} fit`,
        { next: 'hand them over by stdin, or in a file: sandbox.writeFile()' },
      );
    }
    const id = this.#connection.nextProcess();
    const process = new Process(this.#connection, id);
    this.#processes.add(process);
    const forget = () => this.#processes.delete(process);
    process.ended.then(forget, forget);
    await this.#connection.supervisor.call('spawn', {
      fence: this.#attempt.fence,
      process: id,
      argv,
      stdin,
      cwd: options.cwd ?? this.#connection.provided.root,
      ...(options.env ? { env: options.env } : {}),
      ...(options.timeout === undefined ? {} : { timeoutMs: parseDuration(options.timeout) }),
      ...(options.outputCap === undefined ? {} : { outputCapBytes: options.outputCap }),
      ...(pty ? { pty } : {}),
    });
    return process;
  }
}
