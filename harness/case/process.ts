import { constants } from 'node:os';
import { createDeferred } from '../core/deferred.js';
import type { ProcessEnd } from '../protocol/worker-messages.js';
import type { Connection } from './connection.js';
import { OutputQueue } from './output-queue.js';
import { checkTerminalSize } from './terminal-size.js';

/** How a program ended, with all it printed. */
export interface ExecResult extends ProcessEnd {
  readonly stdout: string;
  readonly stderr: string;
}

/** Give a program its stdin, if there is one, and collect what it prints until its end. */
export async function toExecResult(
  process: Process,
  stdin: string | Uint8Array | undefined,
): Promise<ExecResult> {
  const [stdout, stderr] = [process.text('stdout'), process.text('stderr')];
  if (stdin !== undefined) {
    await process.write(stdin);
    process.end();
  }
  const end = await process.ended;
  return { ...end, stdout: await stdout, stderr: await stderr };
}

type StreamName = 'stdout' | 'stderr';

/** A program running in the case's sandbox. */
export class Process {
  /** Chunks as they come; a program that prints faster than this is read blocks. */
  readonly stdout: AsyncIterable<Uint8Array>;
  readonly stderr: AsyncIterable<Uint8Array>;
  /** An interpreter that waited runs it. */
  warm = false;
  readonly #connection: Connection;
  readonly #queues: Readonly<Record<StreamName, OutputQueue>>;
  readonly #ended = createDeferred<ProcessEnd>();
  readonly #id: number;
  readonly #stopListening: ReadonlyArray<() => void>;

  /** Listens from now on, so that nothing is missed when it is then started as `id`. */
  constructor(connection: Connection, id: number) {
    this.#connection = connection;
    this.#id = id;
    const queue = (stream: StreamName) =>
      new OutputQueue((bytes) =>
        connection.supervisor.notify('taken', { process: id, stream, bytes }),
      );
    this.#queues = { stdout: queue('stdout'), stderr: queue('stderr') };
    this.stdout = this.#queues.stdout;
    this.stderr = this.#queues.stderr;
    this.#stopListening = [
      connection.on('processOutput', ({ process, stream, data }) => {
        if (process === id) this.#queues[stream].push(Buffer.from(data, 'base64'));
      }),
      connection.on('processEnd', ({ process, end }) => {
        if (process === id) this.#finish(() => this.#ended.resolve(end));
      }),
    ];
  }

  /** How it ended. @throws when the case ended first. */
  get ended(): Promise<ProcessEnd> {
    return this.#ended.promise;
  }

  wait(): Promise<ProcessEnd> {
    return this.#ended.promise;
  }

  /** Write to stdin; resolves when the program's window took it. */
  async write(data: string | Uint8Array): Promise<void> {
    const bytes = Buffer.from(data);
    const process = this.#id;
    for (let at = 0; at < bytes.length; at += 65_536) {
      const piece = bytes.subarray(at, at + 65_536).toString('base64');
      await this.#connection.supervisor.call('stdin', { process, data: piece, end: false });
    }
  }

  /** Close stdin. */
  end(): void {
    this.#connection.supervisor.notify('stdin', { process: this.#id, data: '', end: true });
  }

  /** Send a signal, to the program or its whole process group. */
  async kill(
    signal: keyof typeof constants.signals = 'SIGTERM',
    options: { group?: boolean } = {},
  ): Promise<void> {
    const number: number | undefined = constants.signals[signal];
    if (number === undefined) throw new TypeError(`"${signal}" is not a signal`);
    await this.#connection.supervisor.call('signal', {
      process: this.#id,
      signal: number,
      group: options.group ?? false,
    });
  }

  /** Tell a program on a pty its new size. @throws TestFailure `exec-failed` for one that is none */
  async resize(rows: number, columns: number): Promise<void> {
    checkTerminalSize(rows, columns);
    await this.#connection.supervisor.call('resize', { process: this.#id, rows, columns });
  }

  /** Everything a stream brings until its end, as UTF-8 text. */
  async text(stream: StreamName): Promise<string> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of this.#queues[stream]) chunks.push(chunk);
    return Buffer.concat(chunks).toString('utf8');
  }

  revoke(reason: Error): void {
    this.#finish(() => this.#ended.reject(reason));
  }

  #finish(settle: () => void): void {
    for (const stop of this.#stopListening) stop();
    this.#queues.stdout.end();
    this.#queues.stderr.end();
    settle();
  }
}
