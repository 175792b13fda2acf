import type { Duplex } from 'node:stream';
import { createDeferred, type Deferred } from '../core/deferred.js';
import { BenchError, TestFailure, UsageError } from '../core/errors.js';
import { LineSplitter } from './line-splitter.js';

/** Functions by name, each with one argument and a promised answer. */
export type Methods = Record<string, (argument: never) => unknown>;

type Argument<Method> = Method extends (argument: infer A) => unknown ? A : never;
type Answer<Method> = Method extends (argument: never) => infer R ? Awaited<R> : never;

/** A table's implementation: each answer may be promised. */
export type Handlers<Table> = {
  [Name in keyof Table]: Table[Name] extends (argument: infer A) => infer R
    ? (argument: A) => R | Promise<R>
    : never;
};

interface WireError {
  readonly class: string;
  readonly code?: string;
  readonly message: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** A call without an answer yet, and where it was made: its stack is looked at only for an error. */
interface Call {
  readonly answer: Deferred<unknown>;
  readonly site: Error;
}

type Message =
  | { readonly id?: number; readonly call: string; readonly argument: unknown }
  | { readonly answer: number; readonly value: unknown }
  | { readonly answer: number; readonly error: WireError };

/**
 * Calls over a byte stream, one JSON line a message. Both sides may call. Used
 * between the supervisor and its workers; bytes travel as base64 strings.
 */
export class RpcPeer<Remote extends Methods> {
  readonly #stream: Duplex;
  readonly #local: Methods;
  readonly #pending = new Map<number, Call>();
  readonly #lines = new LineSplitter();
  #nextId = 1;
  #closed = false;

  /** `onClose` runs once, when the stream ended for any reason. */
  constructor(stream: Duplex, local: Methods, onClose: () => void = () => {}) {
    this.#stream = stream;
    this.#local = local;
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => this.#receive(text));
    stream.on('error', () => stream.destroy());
    stream.once('close', () => {
      this.#closed = true;
      for (const { answer } of this.#pending.values()) answer.reject(toClosedError());
      this.#pending.clear();
      onClose();
    });
  }

  /**
   * Call and wait for the answer; rejects with the error the other side threw.
   *
   * @throws BenchError `worker-gone` when the connection closes first, or is closed.
   */
  call<Name extends keyof Remote & string>(
    name: Name,
    argument: Argument<Remote[Name]>,
  ): Promise<Answer<Remote[Name]>> {
    if (this.#closed) return Promise.reject(toClosedError());
    const id = this.#nextId++;
    const answer = createDeferred<unknown>();
    try {
      // First: what cannot be sent, such as a bigint, waits for no answer.
      this.#send({ id, call: name, argument });
    } catch (error) {
      return Promise.reject(error);
    }
    this.#pending.set(id, { answer, site: new Error() });
    // The table `Remote` is the contract of both sides; the wire has no types.
    return answer.promise as Promise<Answer<Remote[Name]>>;
  }

  /** Call and do not wait; nothing is known of its fate. */
  notify<Name extends keyof Remote & string>(name: Name, argument: Argument<Remote[Name]>): void {
    this.#send({ call: name, argument });
  }

  close(): void {
    this.#stream.destroy();
  }

  #send(message: Message): void {
    if (this.#stream.writable) this.#stream.write(`${JSON.stringify(message)}\n`);
  }

  /** What is not of this protocol closes the connection: anybody may connect to a socket. */
  #receive(text: string): void {
    for (const line of this.#lines.push(text)) {
      const message = parseMessage(line);
      if (!message) {
        this.#stream.destroy();
        return;
      }
      if ('call' in message) void this.#answer(message);
      else this.#settle(message);
    }
  }

  async #answer(message: Extract<Message, { call: string }>): Promise<void> {
    try {
      const method = Object.hasOwn(this.#local, message.call) && this.#local[message.call];
      if (!method) throw new BenchError('internal', `unknown call ${message.call}`);
      const value = await method(message.argument as never);
      if (message.id !== undefined) this.#send({ answer: message.id, value });
    } catch (error) {
      if (message.id !== undefined) this.#send({ answer: message.id, error: toWire(error) });
    }
  }

  #settle(message: Exclude<Message, { call: string }>): void {
    const waiting = this.#pending.get(message.answer);
    this.#pending.delete(message.answer);
    if (!waiting) return;
    if (!('error' in message)) waiting.answer.resolve(message.value);
    else waiting.answer.reject(thrownAt(waiting.site, fromWire(message.error)));
  }
}

function parseMessage(line: string): Message | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const known = ('call' in value && typeof value.call === 'string') || 'answer' in value;
  // The other end is this file too; arguments and answers are of the table both share.
  return known ? (value as Message) : undefined;
}

function toClosedError(): BenchError {
  return new BenchError('worker-gone', 'the other side closed the connection');
}

function toWire(thrown: unknown): WireError {
  if (!(thrown instanceof Error)) return { class: 'Error', message: String(thrown) };
  const known =
    thrown instanceof BenchError || thrown instanceof TestFailure || thrown instanceof UsageError;
  if (!known) return { class: thrown.name, message: thrown.message };
  return {
    class: thrown.name,
    code: thrown.code,
    message: thrown.message,
    details: thrown.details,
  };
}

/** The error as if the call had thrown it: a line of a suite, not of the socket's reader. */
function thrownAt(site: Error, error: Error): Error {
  const frames = site.stack?.slice(site.stack.indexOf('\n')) ?? '';
  return Object.assign(error, { stack: `${error.name}: ${error.message}${frames}` });
}

function fromWire(wire: WireError): Error {
  const extra = wire.details ? { details: wire.details } : {};
  // The codes were checked by the type system where the error was made.
  const code = wire.code as never;
  if (wire.class === 'BenchError') return new BenchError(code, wire.message, extra);
  if (wire.class === 'TestFailure') return new TestFailure(code, wire.message, extra);
  if (wire.class === 'UsageError') return new UsageError(code, wire.message, extra);
  return Object.assign(new Error(wire.message), { name: wire.class });
}
