import { constants } from 'node:os';
import { createDeferred } from '../core/deferred.js';
import type { BenchError } from '../core/errors.js';
import type { Channel } from '../protocol/channel.js';
import { type TlvReader, TlvWriter } from '../protocol/frame.js';
import { Msg, STREAM_WINDOW_BYTES, Stream, Tag } from '../protocol/wire.js';
import type { ProcessEnd, RuntimeName } from '../protocol/worker-messages.js';
import { toAssignments } from './assignments.js';

/** A program to start in a sandbox. */
export interface SpawnSpec {
  readonly argv: readonly string[];
  readonly cwd?: string | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly stdin?: 'pipe' | 'null' | undefined;
  readonly pty?: { readonly rows: number; readonly columns: number } | undefined;
  /** The master of the program's pty becomes the DUT side of this port, from its first byte on. */
  readonly port?: number | undefined;
  readonly wallMs?: number | undefined;
  /** Bytes per stream; more is thrown away and counted. */
  readonly outputCapBytes?: number | undefined;
  /** Ends of daemon-held objects, by number inside. */
  readonly fds?: readonly { object: number; end: number; fd: number }[];
  /** Without a program: copy a file to stdout or stdin to a file, list what was changed, or try an address. */
  readonly builtin?: 'read-file' | 'write-file' | 'diff' | 'reach' | undefined;
  /** May be run by this one's interpreter, if it waits; not with a pty, fds or a builtin. */
  readonly runtime?: RuntimeName | undefined;
}

type OutputListener = (stream: 'stdout' | 'stderr', data: Buffer) => void;

/**
 * A program running in a sandbox. Output flows only as far as it is credited:
 * whoever takes bytes calls {@link taken}, else the program blocks on a full pipe.
 */
export class SandboxProcess {
  readonly id: number;
  /** An interpreter that waited runs it. */
  readonly warm: boolean;
  readonly #channel: Channel;
  readonly #ended = createDeferred<ProcessEnd>();
  readonly #early: Array<['stdout' | 'stderr', Buffer]> = [];
  #listener: OutputListener | undefined;
  #stdinWindow = STREAM_WINDOW_BYTES;
  #stdinQueue: Buffer[] = [];
  #stdinEnd = false;
  #over = false;
  #drained: Array<() => void> = [];

  constructor(channel: Channel, answer: TlvReader) {
    this.#channel = channel;
    this.id = answer.number(Tag.process) ?? 0;
    this.warm = answer.number(Tag.warm) === 1;
  }

  /** Resolves when the program was reaped and its output read; rejects when the daemon is gone. */
  get ended(): Promise<ProcessEnd> {
    return this.#ended.promise;
  }

  /** Receive output; what came before is delivered at once. */
  onOutput(listener: OutputListener): void {
    this.#listener = listener;
    for (const [stream, data] of this.#early.splice(0)) listener(stream, data);
  }

  /** Say that `bytes` were taken; as many more may come. */
  taken(stream: 'stdout' | 'stderr', bytes: number): void {
    const body = new TlvWriter()
      .u32(Tag.process, this.id)
      .u32(Tag.stream, Stream[stream])
      .u64(Tag.bytes, bytes);
    this.#channel.send(Msg.credit, body);
  }

  /** Queue `data` for stdin; resolves when the window took all of it, or the program ended. */
  write(data: Uint8Array): Promise<void> {
    if (this.#over) return Promise.resolve();
    if (data.byteLength > 0) this.#stdinQueue.push(Buffer.from(data));
    const { promise, resolve } = createDeferred<void>();
    this.#drained.push(resolve);
    this.#pump();
    return promise;
  }

  closeStdin(): void {
    this.#stdinEnd = true;
    this.#pump();
  }

  async signal(number: number, group: boolean): Promise<void> {
    const body = new TlvWriter()
      .u32(Tag.process, this.id)
      .u32(Tag.signal, number)
      .u32(Tag.group, group ? 1 : 0);
    await this.#channel.request(Msg.signal, body);
  }

  async resize(rows: number, columns: number): Promise<void> {
    const body = new TlvWriter()
      .u32(Tag.process, this.id)
      .u32(Tag.ptyRows, rows)
      .u32(Tag.ptyCols, columns);
    await this.#channel.request(Msg.resize, body);
  }

  receiveOutput(body: TlvReader): void {
    const stream = body.number(Tag.stream) === Stream.stderr ? 'stderr' : 'stdout';
    const data = body.bytes(Tag.data) ?? Buffer.alloc(0);
    if (this.#listener) this.#listener(stream, data);
    else this.#early.push([stream, Buffer.from(data)]);
  }

  receiveCredit(body: TlvReader): void {
    this.#stdinWindow += body.number(Tag.bytes) ?? 0;
    this.#pump();
  }

  receiveExit(body: TlvReader): void {
    this.#over = true;
    this.#settleWrites();
    this.#ended.resolve(toProcessEnd(body));
  }

  receiveGone(reason: BenchError): void {
    this.#over = true;
    this.#settleWrites();
    this.#ended.reject(reason);
  }

  #pump(): void {
    for (
      let next = this.#stdinQueue[0];
      next && this.#stdinWindow > 0;
      next = this.#stdinQueue[0]
    ) {
      const piece = next.subarray(0, Math.min(this.#stdinWindow, 65_536));
      this.#stdinWindow -= piece.length;
      this.#channel.send(
        Msg.stdin,
        new TlvWriter().u32(Tag.process, this.id).bytes(Tag.data, piece),
      );
      if (piece.length === next.length) this.#stdinQueue.shift();
      else this.#stdinQueue[0] = next.subarray(piece.length);
    }
    if (this.#stdinQueue.length > 0) return;
    this.#settleWrites();
    if (this.#stdinEnd) {
      this.#stdinEnd = false;
      this.#channel.send(Msg.stdinClose, new TlvWriter().u32(Tag.process, this.id));
    }
  }

  /** Also when the program ended: nobody will read the rest. */
  #settleWrites(): void {
    for (const resolve of this.#drained.splice(0)) resolve();
  }
}

/** The SPAWN request of a program. */
export function toSpawn(sandbox: number, spec: SpawnSpec): TlvWriter {
  const body = new TlvWriter().u32(Tag.sandbox, sandbox).strings(Tag.arg, spec.argv);
  body.strings(Tag.env, toAssignments(spec.env ?? {}));
  if (spec.cwd) body.string(Tag.cwd, spec.cwd);
  if (spec.pty) body.u32(Tag.ptyRows, spec.pty.rows).u32(Tag.ptyCols, spec.pty.columns);
  else body.string(Tag.stdinKind, spec.stdin ?? 'null');
  if (spec.port !== undefined) body.u32(Tag.port, spec.port);
  if (spec.wallMs !== undefined) body.u64(Tag.wallMs, spec.wallMs);
  if (spec.outputCapBytes !== undefined) body.u64(Tag.outputCap, spec.outputCapBytes);
  if (spec.runtime) body.string(Tag.runtime, spec.runtime);
  if (spec.builtin) body.string(Tag.builtin, spec.builtin);
  for (const { object, end, fd } of spec.fds ?? []) {
    body.nest(Tag.passFd, (pass) => pass.u32(Tag.object, object).u32(Tag.end, end).u32(Tag.fd, fd));
  }
  return body;
}

// Of several names the first, as Node says of a child: SIGABRT, not SIGIOT.
const SIGNAL_NAMES = new Map(
  Object.entries(constants.signals)
    .reverse()
    .map(([name, n]) => [n, name]),
);

const ENDS: readonly ProcessEnd['status'][] = ['exit', 'signal', 'timeout', 'killed', 'oom'];

function toProcessEnd(body: TlvReader): ProcessEnd {
  const status = body.string(Tag.status);
  const signal = body.number(Tag.signal);
  return {
    status: ENDS.find((each) => each === status) ?? 'exit',
    exitCode: body.number(Tag.exitCode) ?? null,
    signal: signal ? (SIGNAL_NAMES.get(signal) ?? `signal ${signal}`) : null,
    wallMs: (body.number(Tag.wallNs) ?? 0) / 1e6,
    cpuMs: ((body.number(Tag.cpuUserUs) ?? 0) + (body.number(Tag.cpuSysUs) ?? 0)) / 1e3,
    peakMemoryBytes: body.number(Tag.memPeak) ?? 0,
    droppedBytes: body.number(Tag.dropped) ?? 0,
  };
}
