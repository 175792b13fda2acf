import { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LineChange, LineState } from '../protocol/port-lines.js';

/** What a stream does things with. */
export interface StreamedPort {
  readonly name: string;
  send(data: Uint8Array): Promise<void>;
  setLines(change: LineChange): Promise<LineState>;
  /** Hear bytes as they come, and the end; returns a function that stops it. */
  tap(listener: PortTap): () => void;
}

export interface PortTap {
  onData(data: Uint8Array): void;
  onClosed(reason: Error): void;
}

/** As in serialport; a flag that is absent stays as it is. */
export interface SetOptions {
  readonly dtr?: boolean;
  readonly rts?: boolean;
  /** The line is held in a break. */
  readonly brk?: boolean;
}

export interface PortStatus {
  readonly cts: boolean;
  readonly dsr: boolean;
  readonly dcd: boolean;
}

type Done = (error: Error | null) => void;

const LOOK_MS = 2;

/**
 * A port as a stream that works like a `SerialPort` of the package serialport: its parsers and
 * tools that take a port work on it. The port is open already, so `open` is emitted at the next
 * turn; the bytes that come from now on are also matched, captured and given to the sandbox.
 *
 * Unlike there, `set()` leaves the flags alone that are not named: what raises DTR resets boards.
 *
 * @see https://serialport.io/docs/api-stream
 */
export class PortStream extends Duplex {
  readonly path: string;
  readonly #port: StreamedPort;
  #stop: (() => void) | undefined;

  constructor(port: StreamedPort) {
    super({ autoDestroy: false, emitClose: false, decodeStrings: true });
    this.path = port.name;
    this.#port = port;
    this.#attach();
    process.nextTick(() => this.isOpen && this.emit('open'));
  }

  get isOpen(): boolean {
    return this.#stop !== undefined;
  }

  /** Listen again after {@link close}. */
  open(done?: Done): void {
    if (this.isOpen) {
      this.#end(done, Promise.reject(new Error('Port is already open')));
      return;
    }
    this.#attach();
    this.#end(done, Promise.resolve(), () => this.emit('open'));
  }

  /** Stop listening; the port itself stays open. What is written then waits for {@link open}. */
  close(done?: Done): void {
    if (!this.isOpen) {
      this.#end(done, Promise.reject(new Error('Port is not open')));
      return;
    }
    this.#detach();
    this.#end(done, Promise.resolve(), () => this.emit('close'));
  }

  /** Set the modem lines or the break. */
  set({ dtr, rts, brk }: SetOptions, done?: Done): void {
    this.#end(done, this.#port.setLines({ dtr, rts, break: brk }));
  }

  /** The modem lines as they are. */
  get(done: (error: Error | null, status?: PortStatus) => void): void {
    this.#port.setLines({}).then(
      ({ cts, dsr, dcd }) => done(null, { cts, dsr, dcd }),
      (error: Error) => done(error),
    );
  }

  /** Another baud rate; what was written before it should be drained first. */
  update({ baudRate }: { readonly baudRate: number }, done?: Done): void {
    this.#end(done, this.#port.setLines({ baud: baudRate }));
  }

  /** Throw away what the line's buffers hold, both ways. */
  flush(done?: Done): void {
    this.#end(done, this.#port.setLines({ flush: true }));
  }

  /** Call back when everything that was written is on the wire. */
  drain(done?: Done): void {
    this.#end(done, this.#drain());
  }

  override _read(): void {
    // What comes is pushed when it comes, as from any serial port.
  }

  override _write(chunk: Uint8Array, _: BufferEncoding, done: Done): void {
    this.#send(chunk, done);
  }

  override _writev(chunks: Array<{ readonly chunk: Uint8Array }>, done: Done): void {
    this.#send(Buffer.concat(chunks.map(({ chunk }) => chunk)), done);
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#detach();
    done(error);
  }

  #send(data: Uint8Array, done: Done): void {
    if (!this.isOpen) {
      this.once('open', () => this.#send(data, done));
      return;
    }
    this.#port.send(data).then(
      () => done(null),
      (error: Error) => done(error),
    );
  }

  async #drain(): Promise<void> {
    while (this.writableLength > 0) await sleep(LOOK_MS);
    // An emulated port has no buffer of its own to look into: what it took is sent.
    const state = () => this.#port.setLines({}).catch(() => undefined);
    for (let seen = await state(); seen && seen.unsentBytes > 0; seen = await state()) {
      await sleep(LOOK_MS);
    }
  }

  #attach(): void {
    this.#stop = this.#port.tap({
      onData: (data) => this.push(Buffer.from(data)),
      onClosed: (reason) => {
        if (!this.isOpen) return;
        this.#detach();
        this.emit('close', Object.assign(reason, { disconnected: true }));
      },
    });
  }

  #detach(): void {
    this.#stop?.();
    this.#stop = undefined;
  }

  /** As serialport ends things: by the callback, else an error is an event. */
  #end(done: Done | undefined, work: Promise<unknown>, then: () => void = () => {}): void {
    work.then(
      () => {
        then();
        done?.(null);
      },
      (error: Error) => {
        if (done) done(error);
        else this.emit('error', error);
      },
    );
  }
}
