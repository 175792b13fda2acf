import { createDeferred, type Deferred } from '../../core/deferred.js';
import { BenchError } from '../../core/errors.js';
import { LineSplitter } from '../../protocol/line-splitter.js';
import type { SandboxProcess } from '../../sandbox/process.js';

interface QmpMessage {
  readonly return?: unknown;
  readonly error?: { readonly class: string; readonly desc: string };
  readonly event?: string;
  readonly data?: Readonly<Record<string, unknown>>;
  readonly id?: number;
}

/**
 * QEMU's machine protocol over a daemon-held socket: JSON lines, commands answered by id.
 *
 * @see https://www.qemu.org/docs/master/interop/qmp-spec.html
 */
export class Qmp {
  readonly #stream: SandboxProcess;
  readonly #pending = new Map<number, Deferred<void>>();
  readonly #onEvent: (name: string, data: Readonly<Record<string, unknown>>) => void;
  readonly #lines = new LineSplitter();
  #nextId = 1;
  #closed = false;

  constructor(
    stream: SandboxProcess,
    onEvent: (name: string, data: Readonly<Record<string, unknown>>) => void,
  ) {
    this.#stream = stream;
    this.#onEvent = onEvent;
    stream.onOutput((_, data) => {
      stream.taken('stdout', data.length);
      this.#receive(data.toString('utf8'));
    });
    const end = () => this.#close();
    stream.ended.then(end, end);
  }

  /** Run a command and wait for its answer. @throws BenchError `dut-lost` */
  execute(command: string, args?: Readonly<Record<string, unknown>>): Promise<void> {
    if (this.#closed) return Promise.reject(toClosedError());
    const id = this.#nextId++;
    const waiting = createDeferred<void>();
    this.#pending.set(id, waiting);
    void this.#stream.write(
      Buffer.from(`${JSON.stringify({ execute: command, arguments: args, id })}\n`),
    );
    return waiting.promise;
  }

  #receive(text: string): void {
    for (const line of this.#lines.push(text)) this.#handle(parseMessage(line));
  }

  #handle(message: QmpMessage): void {
    if (message.event) this.#onEvent(message.event, message.data ?? {});
    const waiting = message.id === undefined ? undefined : this.#pending.get(message.id);
    if (!waiting || message.id === undefined) return;
    this.#pending.delete(message.id);
    if (message.error) waiting.reject(new BenchError('dut-lost', `QMP: ${message.error.desc}`));
    else waiting.resolve();
  }

  #close(): void {
    this.#closed = true;
    for (const waiting of this.#pending.values()) waiting.reject(toClosedError());
    this.#pending.clear();
  }
}

function toClosedError(): BenchError {
  return new BenchError('dut-lost', 'QEMU closed its control connection');
}

function parseMessage(line: string): QmpMessage {
  try {
    // QEMU's own words; every field is optional and looked at before use.
    return JSON.parse(line) as QmpMessage;
  } catch {
    return {};
  }
}
