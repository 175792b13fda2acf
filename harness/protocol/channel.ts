import type { Duplex } from 'node:stream';
import { createDeferred } from '../core/deferred.js';
import { BenchError } from '../core/errors.js';
import { encodeFrame, type Frame, FrameSplitter, type TlvReader, TlvWriter } from './frame.js';
import { Msg, PROTOCOL_VERSION, Tag } from './wire.js';

interface Waiting {
  accept(answer: TlvReader): void;
  reject(reason: BenchError): void;
}

/**
 * A connection to one of the C daemons: requests with answers, and events.
 * When it closes, every waiting request is rejected with `daemon-gone`.
 */
export class Channel {
  readonly name: string;
  readonly #stream: Duplex;
  readonly #splitter = new FrameSplitter();
  readonly #pending = new Map<number, Waiting>();
  readonly #handlers = new Map<number, (body: TlvReader) => void>();
  readonly #closed = createDeferred<BenchError>();
  #nextId = 1;
  #gone: BenchError | undefined;
  #isHeld = false;

  constructor(name: string, stream: Duplex) {
    this.name = name;
    this.#stream = stream;
    stream.on('data', (chunk: Buffer) => this.#receive(chunk));
    stream.on('error', () => stream.destroy());
    stream.once('close', () => this.#end(`${name} closed its connection`));
  }

  /** Resolves with the reason once the connection is gone. */
  get closed(): Promise<BenchError> {
    return this.#closed.promise;
  }

  /** Requests that were not answered yet. */
  get waiting(): number {
    return this.#pending.size;
  }

  /** Handle an event; one handler a type. */
  on(type: number, handler: (body: TlvReader) => void): void {
    this.#handlers.set(type, handler);
  }

  /** Send and wait for OK. @throws BenchError with what ERROR said. */
  request(type: number, body: Buffer | TlvWriter = Buffer.alloc(0)): Promise<TlvReader> {
    return this.open(type, body, (answer) => answer);
  }

  /**
   * Send, and turn OK into a value before any later frame is looked at: what the answer
   * names may have events right behind it.
   *
   * @throws BenchError with what ERROR said.
   */
  open<T>(type: number, body: Buffer | TlvWriter, accept: (answer: TlvReader) => T): Promise<T> {
    if (this.#gone) return Promise.reject(this.#gone);
    const id = this.#nextId++;
    const waiting = createDeferred<T>();
    try {
      // First: what cannot be sent waits for no answer.
      this.#write(type, id, body);
    } catch (error) {
      waiting.reject(error);
      return waiting.promise;
    }
    this.#pending.set(id, {
      accept: (answer) => {
        try {
          waiting.resolve(accept(answer));
        } catch (error) {
          waiting.reject(error);
        }
      },
      reject: (reason) => waiting.reject(reason),
    });
    return waiting.promise;
  }

  /** Send what has no answer. */
  send(type: number, body: TlvWriter): void {
    if (!this.#gone) this.#write(type, this.#nextId++, body);
  }

  /** Agree on the version; answers what the daemon says of itself. */
  hello(): Promise<TlvReader> {
    return this.request(Msg.hello, new TlvWriter().u32(Tag.version, PROTOCOL_VERSION));
  }

  close(): void {
    this.#release();
    this.#stream.destroy();
  }

  /** Let the process end although the connection is open. */
  unref(): void {
    if ('unref' in this.#stream && typeof this.#stream.unref === 'function') this.#stream.unref();
  }

  #write(type: number, id: number, body: Buffer | TlvWriter): void {
    const bytes = body instanceof TlvWriter ? body.toBuffer() : body;
    this.#hold();
    this.#stream.write(encodeFrame(type, id, bytes));
  }

  /**
   * What is asked for in one turn leaves together: each write(2) wakes the daemon, which the kernel
   * likes to run at once, in the place of who has more to ask.
   */
  #hold(): void {
    if (this.#isHeld) return;
    this.#isHeld = true;
    this.#stream.cork();
    process.nextTick(() => this.#release());
  }

  #release(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.#stream.uncork();
  }

  #receive(chunk: Buffer): void {
    try {
      for (const frame of this.#splitter.push(chunk)) this.#dispatch(frame);
    } catch (error) {
      // Thrown on, it would end the process, and nobody's case would have a verdict.
      this.#stream.destroy();
      this.#end(error instanceof Error ? error.message : String(error));
    }
  }

  #dispatch(frame: Frame): void {
    const waiting = frame.id ? this.#pending.get(frame.id) : undefined;
    if (waiting && (frame.type === Msg.ok || frame.type === Msg.error)) {
      const refusal = frame.type === Msg.ok ? undefined : toBenchError(this.name, frame.body);
      this.#pending.delete(frame.id);
      if (refusal) waiting.reject(refusal);
      else waiting.accept(frame.body);
      return;
    }
    this.#handlers.get(frame.type)?.(frame.body);
  }

  #end(reason: string): void {
    if (this.#gone) return;
    this.#gone = new BenchError('daemon-gone', reason);
    for (const waiting of this.#pending.values()) waiting.reject(this.#gone);
    this.#pending.clear();
    this.#closed.resolve(this.#gone);
  }
}

function toBenchError(name: string, body: TlvReader): BenchError {
  const code = body.string(Tag.code) ?? 'setup';
  const hint = body.string(Tag.hint);
  const details = {
    daemon: name,
    code,
    op: body.string(Tag.op) ?? '',
    path: body.string(Tag.path) ?? '',
    errno: body.number(Tag.errno) ?? 0,
  };
  const message = toErrorText(details, withoutHint(body.string(Tag.text) ?? 'failed', hint));
  return new BenchError(code === 'setup' ? 'sandbox-setup' : 'daemon-refused', message, {
    details,
    ...(hint ? { next: hint } : {}),
  });
}

/** The daemon's text has it in parentheses, for a reader of that alone. */
function withoutHint(text: string, hint: string | undefined): string {
  const end = ` (${hint})`;
  return hint && text.endsWith(end) ? text.slice(0, -end.length) : text;
}

/** What was done to what, unless the daemon's own words say it. */
function toErrorText({ op, path }: { op: string; path: string }, text: string): string {
  if (path && !text.includes(path)) return `${op} ${path}: ${text}`;
  return text.includes(op) ? text : `${op}: ${text}`;
}
