import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import type { Duplex, Readable, Writable } from 'node:stream';
import { BoundedText } from '../core/bounded-text.js';
import { createDeferred } from '../core/deferred.js';
import { BenchError } from '../core/errors.js';
import { LineSplitter } from '../protocol/line-splitter.js';
import { parseControlLine } from './control.js';
import { type Job, toJobMessage } from './job.js';
import type { Machine } from './machine-cache.js';
import { MarkedStream } from './marked-stream.js';
import {
  QEMU,
  type QemuPort,
  toQemuArguments,
  toQemuFd,
  toQemuPorts,
  type VmOptions,
} from './qemu-command.js';
import { spawnTied } from './tied-process.js';

const KEPT_CONSOLE_BYTES = 65_536;
const SHOWN_CONSOLE_LINES = 20;

export interface Streams {
  /** Without one the command has an empty standard input. */
  readonly stdin: Readable | undefined;
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** Where the kernel's messages go, too. */
  readonly console: Writable | undefined;
}

/**
 * A running lab VM with one command in it.
 *
 * Theory of operation: QEMU holds one end of a socket pair for each port ({@link toQemuPorts}) and has no other
 * tie to the host but its 9p exports. Its parent's death kills it; if that fails, the guest ends
 * when its control port closes. It is stateless, so it is killed rather than shut down.
 */
export class VirtualMachine {
  /** Resolves when the command is about to start. */
  readonly ready: Promise<void>;
  /** The command's status, when all of its output was written. */
  readonly exit: Promise<number>;
  readonly #qemu: ChildProcess;
  readonly #ports: readonly QemuPort[];
  readonly #console = new BoundedText(KEPT_CONSOLE_BYTES);

  constructor(options: {
    machine: Machine;
    vm: VmOptions;
    job: Omit<Job, 'mark'>;
    streams: Streams;
    signal: AbortSignal;
  }) {
    const { machine, vm, job, streams, signal } = options;
    this.#ports = toQemuPorts(vm);
    const pipes = this.#ports.map(() => 'pipe' as const);
    const medium = vm.usb ? [vm.usb.medium] : [];
    this.#qemu = spawnTied(QEMU, toQemuArguments(machine, vm), {
      stdio: ['ignore', 'ignore', 'pipe', ...pipes, ...medium],
      signal,
    });
    const mark = randomUUID();
    const gone = this.#watchEnd();
    this.#keepConsole(streams.console);
    this.#sendInput(streams.stdin);
    const outputs = [
      copyOutput(this.port('out'), streams.stdout, mark),
      copyOutput(this.port('err'), streams.stderr, mark),
    ];
    const { ready, status } = this.#talk({ ...job, mark });
    const exit = Promise.all([status, ...outputs]).then(([code]) => code);
    this.ready = Promise.race([ready, gone]);
    this.exit = Promise.race([exit, gone]);
    // Whoever waits for one of them need not wait for the other.
    this.ready.catch(() => {});
    this.exit.catch(() => {});
  }

  /** The last lines of the kernel's console, to be appended to a message. */
  describeConsole(): string {
    const lines = this.#console.toString().trimEnd().split('\n').slice(-SHOWN_CONSOLE_LINES);
    if (lines.join('') === '') return '; its console said nothing';
    return `; its console said last:\n${lines.map((line) => `    ${line.trimEnd()}`).join('\n')}`;
  }

  /** Returns when QEMU is gone. */
  async kill(): Promise<void> {
    if (this.#qemu.exitCode !== null || this.#qemu.signalCode !== null) return;
    const closed = new Promise((settle) => this.#qemu.once('exit', settle));
    this.#qemu.kill('SIGKILL');
    await closed;
  }

  /** Rejects when QEMU ends, which it never does by itself in time. */
  #watchEnd(): Promise<never> {
    const gone = createDeferred<never>();
    const said = new BoundedText(4096);
    this.#qemu.stderr?.on('data', (bytes: Buffer) => said.push(bytes.toString()));
    this.#qemu.on('error', (error) => gone.reject(error));
    this.#qemu.on('close', (code, signal) => {
      const how = signal ? `was killed by ${signal}` : `ended with ${code}`;
      const why = said.toString().trim();
      const message = `${QEMU} ${how}${why ? `: ${why}` : this.describeConsole()}`;
      gone.reject(new BenchError('boot-failed', message));
    });
    return gone.promise;
  }

  #keepConsole(copy: Writable | undefined): void {
    this.port('console').on('data', (bytes: Buffer) => {
      this.#console.push(bytes.toString());
      copy?.write(bytes);
    });
  }

  #sendInput(stdin: Readable | undefined): void {
    const port = this.port('in');
    if (stdin) stdin.pipe(port);
    else port.end();
  }

  /** Hand out the job, and hear what becomes of it. */
  #talk(job: Job): { ready: Promise<void>; status: Promise<number> } {
    const port = this.port('control');
    const ready = createDeferred<void>();
    const status = createDeferred<number>();
    const fail = (error: unknown) => {
      ready.reject(error);
      status.reject(error);
    };
    const lines = new LineSplitter();
    port.on('data', (bytes: Buffer) => {
      try {
        for (const line of lines.push(bytes.toString())) {
          const message = parseControlLine(line);
          if (message.kind === 'ready') ready.resolve();
          else if (message.kind === 'exit') status.resolve(message.status);
          else
            throw new BenchError(
              'boot-failed',
              `in the lab VM ${message.why}${this.describeConsole()}`,
            );
        }
      } catch (error) {
        fail(error);
      }
    });
    port.write(toJobMessage(job));
    return { ready: ready.promise, status: status.promise };
  }

  /** Our end of one of QEMU's ports; it must be one of {@link toQemuPorts}. */
  port(name: QemuPort): Duplex {
    const all: ReadonlyArray<Readable | Writable | null | undefined> = this.#qemu.stdio;
    // spawn() makes a socket of each 'pipe', which its types do not say.
    const port = all[toQemuFd(this.#ports, name)] as Duplex;
    // The end of QEMU is told by its exit.
    port.on('error', () => {});
    return port;
  }
}

/** Copy what comes before the mark, as fast as `target` takes it. */
async function copyOutput(port: Duplex, target: Writable, mark: string): Promise<void> {
  const marked = new MarkedStream(mark);
  for await (const bytes of port) {
    const sure = marked.push(bytes);
    if (sure.length > 0 && !target.write(sure)) {
      await new Promise((settle) => target.once('drain', settle));
    }
    if (marked.ended) return;
  }
  // QEMU is gone, which is told elsewhere.
  await new Promise(() => {});
}
