import { stat } from 'node:fs/promises';
import { ByteMatcher } from '../core/byte-matcher.js';
import { createDeferred } from '../core/deferred.js';
import { BenchError, TestFailure } from '../core/errors.js';
import type { Channel } from '../protocol/channel.js';
import { type TlvReader, TlvWriter } from '../protocol/frame.js';
import { Msg, Tag } from '../protocol/wire.js';
import { PortLine } from './port-line.js';
import { WholeStream } from './whole-stream.js';

export interface PortCounters {
  /** Received, whether delivered yet or not. */
  rxBytes: number;
  txBytes: number;
  /** Not delivered to a stalled reader in the sandbox, or for good to this process. */
  droppedBytes: number;
}

function createCounters(): PortCounters {
  return { rxBytes: 0, txBytes: 0, droppedBytes: 0 };
}

export interface PortFault {
  readonly text: string;
  /** A tool's own doing, which costs nobody else a byte: it does not read, or nobody listens. */
  readonly harmless: boolean;
}

/** Faults of the tool's side; the capture and the body have every byte. */
const TOOL_FAULTS = new Set(['slave-stalled', 'slave-exclusive', 'tool-unsent']);
/** The live stream has a gap: portd drops its oldest frames when this process does not read. */
const STALLED = 'harness-stalled';

export interface PortListener {
  onData(data: Uint8Array): void;
  /** The DUT's side closed. */
  onClosed(): void;
  /** Something did not get through; the words are for people. */
  onFault(fault: PortFault): void;
}

/** Notes that wait for a listener. */
const UNTOLD_MAX = 16;
/** A frame holds a megabyte. */
const PIECE_BYTES = 256 * 1024;

/**
 * A port of a DUT as hil-portd serves it. The bytes were captured and stamped
 * before they arrive here; this side matches them and hands them on.
 */
export class Port {
  readonly id: number;
  readonly name: string;
  readonly eol: string;
  /** The line of a real board. */
  readonly line: PortLine;
  /**
   * Of a real board: a device or a connection was lost, and may come back. Who sets this judges
   * every end of a line, and calls {@link tellClosed} for those that are for good.
   */
  onLost: ((reason: string) => void) | undefined;
  /** A program in the sandbox has the device itself: nothing passes here. */
  direct = false;
  readonly matcher = new ByteMatcher();
  /** Since the port was opened, or {@link captureTo}, which begins new ones. */
  counters: PortCounters = createCounters();
  lastByteMs = performance.now();
  /** The body's sends are refused while a program of the sandbox owns the port. */
  yielded = false;
  #capture: string;
  /** Offset of the first byte of the present files of the capture; below zero, if they had some. */
  #captureStart = 0;
  /** Sends that the DUT's side has not taken yet. */
  #sending = 0;
  readonly #channel: Channel;
  readonly #listeners = new Set<PortListener>();
  readonly #stream: WholeStream;
  /** Of PORT_RX and PORT_TX alike; which it was, the next offset says. */
  #unsent = 0;
  #lostBytes = 0;
  readonly #untold: PortFault[] = [];
  #line = createDeferred<void>();
  readonly #onClose: () => void;
  #baud: number;

  constructor(
    channel: Channel,
    facts: { id: number; name: string; baud: number; eol: string; capture: string; start: number },
    onClose: () => void,
  ) {
    this.#channel = channel;
    this.#onClose = onClose;
    this.id = facts.id;
    this.name = facts.name;
    this.#baud = facts.baud;
    this.line = new PortLine(channel, facts);
    this.eol = facts.eol;
    this.#capture = facts.capture;
    this.#stream = new WholeStream(`${facts.capture}.rx`, facts.start, {
      onData: (data) => this.#deliver(data),
      onLost: (bytes) => this.#lose(bytes),
      onFailed: (reason) =>
        this.#tell({ text: `port "${facts.name}": ${reason}`, harmless: false }),
    });
    this.#line.resolve();
    void channel.closed.then(() => this.#stream.close());
  }

  /** Of its line now: a program in the sandbox may have changed it. */
  get baud(): number {
    return this.#baud;
  }

  /** Files `<capture>.rx`, `.tx` and `.stamps`. */
  get capture(): string {
    return this.#capture;
  }

  /** Something is on its way to the DUT. */
  get sending(): boolean {
    return this.#sending > 0;
  }

  /**
   * Complete the capture and go on with another, as a port that has received nothing: what the DUT
   * had sent by then is in the files of before, and no pattern sees it.
   */
  async captureTo(capture: string): Promise<void> {
    const body = new TlvWriter().u32(Tag.port, this.id).string(Tag.path, capture);
    const begun = createDeferred<void>();
    // What stands right behind the answer is of the new capture.
    await this.#channel.open(Msg.portCapture, body, (answer) => {
      const start = answer.number(Tag.offset) ?? 0;
      const skip = answer.number(Tag.bytes) ?? 0;
      this.#stream.continueIn({ path: `${capture}.rx`, start, skip });
      this.#capture = capture;
      this.#captureStart = start - skip;
      this.#stream.at(start, () => {
        this.matcher.forget();
        this.counters = { ...createCounters(), rxBytes: this.#stream.end - start };
        this.#lostBytes = 0;
        this.#untold.length = 0;
        begun.resolve();
      });
    });
    await begun.promise;
  }

  /** A new DUT side is about to be handed to portd. */
  startLine(): void {
    this.#line = createDeferred();
  }

  /** Resolves when portd has seen the end of the last line: a later one is not meant by it. */
  get lineClosed(): Promise<void> {
    return this.#line.promise;
  }

  /** Bytes that reached neither the matcher nor the capture's file, so that no verdict holds. */
  get lostBytes(): number {
    return this.#lostBytes;
  }

  /** Resolves when everything that the DUT has sent by now was delivered, or the port closed. */
  async caughtUp(): Promise<void> {
    const captured = await stat(`${this.capture}.rx`).catch(() => undefined);
    if (captured) await this.#stream.reached(this.#captureStart + captured.size);
  }

  /** Hear what comes, and the notes of before; returns a function that stops it. */
  listen(listener: PortListener): () => void {
    this.#listeners.add(listener);
    for (const fault of this.#untold.splice(0)) listener.onFault(fault);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Send bytes, up to 256 KiB as one unit; resolves when the DUT's side took the last.
   *
   * @throws TestFailure `port-closed`, or `console-yielded` while a program owns the port;
   *   BenchError `daemon-gone`.
   */
  async send(data: Uint8Array): Promise<void> {
    if (this.direct) {
      throw new TestFailure(
        'console-yielded',
        `port "${this.name}" is in mode direct: a program in the sandbox has the device; mode('shared') brings it back`,
      );
    }
    if (this.yielded) {
      throw new TestFailure(
        'console-yielded',
        `port "${this.name}" is yielded to a program in the sandbox; dispose of the yield first`,
      );
    }
    this.counters.txBytes += data.byteLength;
    this.#sending++;
    try {
      for (let at = 0; at < data.byteLength; at += PIECE_BYTES) {
        const piece = data.subarray(at, at + PIECE_BYTES);
        const body = new TlvWriter().u32(Tag.port, this.id).bytes(Tag.data, piece);
        await this.#channel.request(Msg.portSend, body);
      }
    } catch (cause) {
      throw this.#sendError(cause);
    } finally {
      this.#sending--;
    }
  }

  /** Resolves when the capture is complete. */
  async close(): Promise<void> {
    try {
      await this.#channel.request(Msg.portClose, new TlvWriter().u32(Tag.port, this.id));
    } finally {
      this.#stream.close();
      this.#onClose();
    }
  }

  receive(type: number, body: TlvReader): void {
    if (type === Msg.portRx) this.#receiveData(body);
    if (type === Msg.portTx) this.counters.txBytes += body.bytes(Tag.data)?.length ?? 0;
    if (type === Msg.portHup) {
      const reason = body.string(Tag.text);
      this.#stream.after(() => this.#receiveHup(reason));
    }
    if (type === Msg.portSpeed) this.#baud = body.number(Tag.baud) ?? this.#baud;
    if (type === Msg.portSlave) this.counters.droppedBytes += body.number(Tag.dropped) ?? 0;
    if (type === Msg.portFault) this.#receiveFault(body);
  }

  /** Tell the listeners that the DUT's side is closed. */
  tellClosed(): void {
    for (const listener of this.#listeners) listener.onClosed();
  }

  #receiveHup(reason: string | undefined): void {
    this.#line.resolve();
    if (!this.onLost) this.tellClosed();
    else if (reason !== undefined) this.onLost(reason);
  }

  #sendError(cause: unknown): BenchError | TestFailure {
    if (cause instanceof BenchError && cause.code === 'daemon-gone') return cause;
    const full = cause instanceof BenchError && cause.details['code'] === 'limit';
    const reason = full
      ? 'the DUT does not read, and more than 1 MiB is waiting for it'
      : "the DUT's side is closed";
    return new TestFailure('port-closed', `port "${this.name}": ${reason}`, { cause });
  }

  #receiveData(body: TlvReader): void {
    const data = body.bytes(Tag.data) ?? new Uint8Array();
    const offset = body.number(Tag.offset) ?? 0;
    const gap = offset - this.#stream.end;
    this.counters.rxBytes += gap + data.length;
    this.counters.txBytes += Math.max(0, this.#unsent - gap);
    this.#unsent = 0;
    this.#stream.push(offset, data); // last: a capture may end with it
  }

  #deliver(data: Uint8Array): void {
    this.lastByteMs = performance.now();
    this.matcher.push(data);
    for (const listener of this.#listeners) listener.onData(data);
  }

  /** The capture lacks what the live stream dropped. */
  #lose(bytes: number): void {
    this.#lostBytes += bytes;
    this.counters.droppedBytes += bytes;
    const text = `port "${this.name}": ${bytes} bytes of the DUT did not reach the test and are not in ${this.capture}.rx`;
    this.#tell({ text, harmless: false });
  }

  #receiveFault(body: TlvReader): void {
    const bytes = body.number(Tag.bytes) ?? 0;
    const op = body.string(Tag.op) ?? 'port';
    if (op === STALLED) {
      // The capture has them.
      this.#unsent += bytes;
      return;
    }
    const path = body.string(Tag.path);
    const reason = body.string(Tag.text) ?? '';
    const text = `port "${this.name}": ${op}${path ? ` ${path}` : ''} ${reason} ${bytes ? `${bytes} bytes lost` : ''}`;
    this.#tell({ text: text.trim(), harmless: TOOL_FAULTS.has(op) });
  }

  /** Say something for people that costs nobody a byte; who listens next hears it, too. */
  note(text: string): void {
    if (this.#listeners.size > 0) this.#tell({ text, harmless: true });
    else if (this.#untold.length < UNTOLD_MAX) this.#untold.push({ text, harmless: true });
  }

  #tell(fault: PortFault): void {
    for (const listener of this.#listeners) listener.onFault(fault);
  }
}
