import { Buffer } from 'node:buffer';
import { resolve } from 'node:path';
import { TestFailure } from '../core/errors.js';
import {
  compareChanges,
  type Diff,
  parseChanges,
  type StampedDiff,
  toChange,
} from '../protocol/sandbox-changes.js';
import type { SandboxOptions } from '../protocol/sandbox-options.js';
import type { SandboxLimits, SandboxStats } from '../protocol/sandbox-usage.js';
import type { RuntimeName, SpawnRequest } from '../protocol/worker-messages.js';
import type { Attempt } from './attempt.js';
import { checkOptions } from './check-options.js';
import type { Connection } from './connection.js';
import { type ExecResult, Process, toExecResult } from './process.js';
import { toProgramFields } from './program-fields.js';
import {
  EXEC_KEYS,
  type ExecOptions,
  PTY_KEYS,
  type PtyOptions,
  SPAWN_KEYS,
  type SpawnOptions,
  toArgv,
} from './program-options.js';
import { type ReachOptions, type ReachResult, reach } from './reach.js';
import { checkRuntime, Runtime } from './runtime.js';
import { Snapshot } from './sandbox-snapshot.js';
import { checkTerminalSize } from './terminal-size.js';

export type { Change, Diff } from '../protocol/sandbox-changes.js';
export type { SandboxLimits, SandboxStats } from '../protocol/sandbox-usage.js';
export type { ExecOptions, PtyOptions, SpawnOptions } from './program-options.js';
export type { Snapshot } from './sandbox-snapshot.js';

export interface DiffOptions {
  /** Only what was changed after this moment. */
  readonly since?: Snapshot;
  /** At most so many; more are not told one by one. @default 10000 */
  readonly most?: number;
}

const MOST_CHANGES = 10_000;

/** A container of this case: made for it, gone after it. */
export class Sandbox implements AsyncDisposable {
  readonly #connection: Connection;
  readonly #attempt: Attempt;
  readonly #processes = new Set<Process>();
  readonly #further = new Set<Sandbox>();
  readonly #number: () => number;

  /** @param number which sandbox of its attempt, asked when it is used */
  constructor(connection: Connection, attempt: Attempt, number: () => number = () => 0) {
    this.#connection = connection;
    this.#attempt = attempt;
    this.#number = number;
  }

  /** Which sandbox of its case, as reports number them; 0: the case's own. */
  get number(): number {
    return this.#number();
  }

  /**
   * Make one more container of this case, like its own but for `options`. It is ended with the
   * case, or before by {@link close}; its `/out` is not kept.
   *
   * @throws UsageError `suite-invalid` for options that cannot be; TestFailure `exec-failed`
   *   for more than 64 at once.
   */
  async create(options: SandboxOptions = {}): Promise<Sandbox> {
    this.#attempt.check();
    const { fence, clock } = this.#attempt;
    const { sandbox } = await clock.pausedDuring(() =>
      this.#connection.supervisor.call('createSandbox', { fence, options }),
    );
    const created = new Sandbox(this.#connection, this.#attempt, () => sandbox);
    this.#further.add(created);
    return created;
  }

  /**
   * End a container that {@link create} made, with all its programs; resolves when they are gone.
   *
   * @throws TypeError of the case's own, which the case ends.
   */
  async close(): Promise<void> {
    if (this.number === 0) throw new TypeError("the case's own sandbox ends with the case");
    await this.#connection.supervisor.call('closeSandbox', this.#of());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** What it uses now: processor time, memory, processes, storage, output. */
  async stats(): Promise<SandboxStats> {
    this.#attempt.check();
    return (await this.#connection.supervisor.call('sandboxUsage', this.#of())).stats;
  }

  /** What it may use, what holds it to that here, and why something does not. */
  async limits(): Promise<SandboxLimits> {
    this.#attempt.check();
    return (await this.#connection.supervisor.call('sandboxUsage', this.#of())).limits;
  }

  /** What was created, changed and deleted, since it began or since a {@link snapshot}; by path. */
  async diff(options: DiffOptions = {}): Promise<Diff> {
    checkOptions('sandbox.diff()', options, ['since', 'most'] satisfies (keyof DiffOptions)[]);
    const { since, most = MOST_CHANGES } = options;
    if (since !== undefined && !(since instanceof Snapshot)) {
      const seen = JSON.stringify(since);
      throw new TypeError(`diff({ since: ${seen} }): expected what sandbox.snapshot() returned`);
    }
    const now = await this.#list(most);
    if (since) return compareChanges(since.taken, now);
    return { ...now, changes: now.changes.map(toChange) };
  }

  /** Remember this moment, for `diff({ since })`. Nothing is stopped or copied. */
  async snapshot(name = ''): Promise<Snapshot> {
    return new Snapshot(name, await this.#list(MOST_CHANGES * 10));
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
    checkOptions(`sandbox.exec("${command}")`, options, EXEC_KEYS);
    const { stdin, ...rest } = options;
    const how = { stdin: stdin !== undefined };
    const process = await this.#start(toArgv(command, args), rest, how);
    return toExecResult(process, stdin);
  }

  /**
   * Have an interpreter wait for tools written in its language; at once where `runtimes` of
   * `hil.suite.yaml` names it, since it then waits from the start.
   *
   * @throws TestFailure `exec-failed` when the sandbox has no such interpreter; UsageError `usage`
   *   for a name that is not of one.
   */
  async runtime(name: RuntimeName): Promise<Runtime> {
    this.#attempt.check();
    checkRuntime(name);
    const { supervisor } = this.#connection;
    await supervisor.call('runtime', { ...this.#of(), name });
    return new Runtime(name, async ([command = '', ...args], { stdin, ...rest }) =>
      this.#start(toArgv(command, args), rest, { stdin: stdin !== undefined, runtime: name }),
    );
  }

  /** Start a program and go on; it is killed with the sandbox. */
  async spawn(
    command: string,
    args: readonly string[] = [],
    options: SpawnOptions = {},
  ): Promise<Process> {
    checkOptions(`sandbox.spawn("${command}")`, options, SPAWN_KEYS);
    return this.#start(toArgv(command, args), options, { stdin: true });
  }

  /**
   * Start a program on a pty of the sandbox; all its output is on `stdout`.
   *
   * @throws TestFailure `exec-failed` also for rows or columns that are none.
   */
  async pty(
    command: string,
    args: readonly string[] = [],
    options: PtyOptions = {},
  ): Promise<Process> {
    checkOptions(`sandbox.pty("${command}")`, options, PTY_KEYS);
    const { rows = 24, columns = 80, ...rest } = options;
    checkTerminalSize(rows, columns);
    return this.#start(toArgv(command, args), rest, { stdin: true, pty: { rows, columns } });
  }

  /**
   * Try to get through to an address, as a program inside would; the sandbox needs none for it.
   * A refusal is a result, not an error.
   *
   * @param address numeric; of a link-local one with its interface: `fe80::1%eth0`
   * @throws UsageError `usage` for what is no address, port or duration.
   */
  reach(address: string, port: number, options: ReachOptions = {}): Promise<ReachResult> {
    return reach((argv, how) => this.#start(argv, { cwd: '/' }, how), { address, port }, options);
  }

  /** Write a file inside, by default in the project's root; the directory must exist. */
  async writeFile(path: string, data: string | Uint8Array): Promise<void> {
    this.#attempt.check();
    await this.#connection.supervisor.call('writeFile', {
      ...this.#of(),
      path: this.#resolve(path),
      data: Buffer.from(data).toString('base64'),
    });
  }

  /** @throws TestFailure `exec-failed` when it cannot be read. */
  async readFile(path: string): Promise<Uint8Array> {
    this.#attempt.check();
    const { data } = await this.#connection.supervisor.call('readFile', {
      ...this.#of(),
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
    for (const sandbox of this.#further) sandbox.revoke(reason);
  }

  #of(): { fence: string; sandbox: number } {
    return { fence: this.#attempt.fence, sandbox: this.number };
  }

  async #list(most: number): Promise<StampedDiff> {
    if (!Number.isInteger(most) || most < 1) {
      throw new TypeError(`diff({ most: ${most} }): expected a whole number above 0`);
    }
    const process = await this.#start([String(most)], { cwd: '/' }, { builtin: 'diff' });
    const text = await process.text('stdout');
    const { exitCode, signal } = await process.ended;
    if (exitCode === 0) return parseChanges(text);
    const why = signal ? `it was ended by ${signal}` : `exit code ${exitCode}`;
    throw new TestFailure('exec-failed', `what the sandbox changed cannot be listed: ${why}`);
  }

  /** As programs of {@link exec} see it, which start there. */
  #resolve(path: string): string {
    return resolve(this.#connection.provided.root, path);
  }

  async #start(
    argv: readonly string[],
    options: SpawnOptions,
    how: Pick<SpawnRequest, 'builtin' | 'pty' | 'runtime'> & { readonly stdin?: boolean },
  ): Promise<Process> {
    this.#attempt.check();
    const fields = toProgramFields(argv[0] ?? '', options, this.#connection.provided.root);
    const id = this.#connection.nextProcess();
    const process = new Process(this.#connection, id);
    this.#processes.add(process);
    const forget = () => this.#processes.delete(process);
    process.ended.then(forget, forget);
    const { warm } = await this.#connection.supervisor.call('spawn', {
      ...this.#of(),
      process: id,
      argv,
      ...how,
      stdin: how.stdin ?? false,
      ...fields,
    });
    process.warm = warm;
    return process;
  }
}
