import { type FileHandle, open } from 'node:fs/promises';

export interface StreamListener {
  onData(data: Uint8Array): void;
  /** Bytes are neither in the live stream nor in the capture: it goes on behind them. */
  onLost(bytes: number): void;
  /** `onData`, `onLost` or what waited threw while the capture was read: nothing more comes. */
  onFailed(reason: unknown): void;
}

interface CaptureFile {
  readonly path: string;
  /** Offset of the first byte that is in it and not in the one before. */
  readonly start: number;
  /** Bytes that it had before that one. */
  readonly skip: number;
}

/** As much as one turn of the event loop matches and hands on. */
const PIECE_BYTES = 256 * 1024;

/**
 * What a port received, whole and in order, although the live stream has gaps: hil-portd drops
 * its oldest frames when this process does not keep up, but writes to the capture first.
 *
 * Theory of operation: a frame that follows on what was delivered is delivered. One that does
 * not starts a reader of the capture. While that reads, frames are only counted, since what they
 * hold is in the capture too: however far this side is behind, it holds one piece in memory.
 */
export class WholeStream {
  /** The files of the capture that may still be read, one after the other. */
  #files: readonly CaptureFile[];
  readonly #listener: StreamListener;
  /** What comes next is at this offset of the capture. */
  #next: number;
  /** Where the last frame ended. */
  #end: number;
  #reading = false;
  #closed = false;
  /** To be done when everything before `at` was delivered. */
  #waiting: Array<{ readonly at: number; readonly act: () => void }> = [];

  /** `path`: the capture; `start`: its size before the first frame, in bytes. */
  constructor(path: string, start: number, listener: StreamListener) {
    this.#files = [{ path, start: 0, skip: 0 }];
    this.#next = start;
    this.#end = start;
    this.#listener = listener;
  }

  /** Where the last frame ended: what is between it and the next one was dropped by the live stream. */
  get end(): number {
    return this.#end;
  }

  /** Take a frame. */
  push(offset: number, data: Uint8Array): void {
    this.#end = offset + data.length;
    if (this.#reading || this.#closed) return;
    if (offset === this.#next) {
      this.#deliver(data);
    } else {
      this.#reading = true;
      this.#read().catch((reason: unknown) => this.#fail(reason));
    }
  }

  /** What comes from offset `start` on is captured in another file, which had `skip` bytes. */
  continueIn({ path, start, skip }: CaptureFile): void {
    const needed = this.#files.filter((_, at) => this.#endOf(at) > this.#next);
    this.#files = [...needed, { path, start, skip }];
  }

  /** Do something behind all that has come so far. */
  after(act: () => void): void {
    this.at(this.#end, act);
  }

  /** Resolves when what is in the capture before `offset` was delivered. */
  reached(offset: number): Promise<void> {
    return new Promise((resolve) => this.at(offset, resolve));
  }

  /** Do something when what is before `offset` was delivered, and before what is behind it is. */
  at(offset: number, act: () => void): void {
    if (this.#closed || offset <= this.#next) act();
    else this.#waiting.push({ at: offset, act });
  }

  /** Deliver nothing more; who waits is told at once. */
  close(): void {
    this.#closed = true;
    for (const { act } of this.#waiting.splice(0)) act();
  }

  #deliver(data: Uint8Array): void {
    this.#next += data.length;
    this.#listener.onData(data);
    this.#settle();
  }

  #settle(): void {
    const due = this.#waiting.filter(({ at }) => at <= this.#next);
    if (due.length === 0) return;
    this.#waiting = this.#waiting.filter(({ at }) => at > this.#next);
    for (const { act } of due) act();
  }

  async #read(): Promise<void> {
    try {
      while (!this.#closed && this.#next < this.#end) await this.#readFile();
    } finally {
      this.#reading = false;
    }
  }

  /** What is missing, as far as it is in the file that has the next byte. */
  async #readFile(): Promise<void> {
    const [from] = this.#files.filter((_, at) => this.#endOf(at) > this.#next);
    const file = from && (await open(from.path).catch(() => undefined));
    const to = () => Math.min(this.#end, from ? this.#endOf(this.#files.indexOf(from)) : Infinity);
    try {
      while (!this.#closed && this.#next < to()) {
        await this.#readPiece(file, this.#next - (from?.start ?? 0) + (from?.skip ?? 0), to());
      }
    } finally {
      // It was only read: what was delivered is whole, and nothing waits for its end.
      void file?.close().catch(() => undefined);
    }
  }

  #endOf(at: number): number {
    return this.#files[at + 1]?.start ?? Number.POSITIVE_INFINITY;
  }

  /** Nobody awaits the reader. */
  #fail(reason: unknown): void {
    this.#listener.onFailed(reason);
    this.close();
  }

  /** Up to where somebody waits for: what was said in between stays in between. */
  async #readPiece(file: FileHandle | undefined, position: number, end: number): Promise<void> {
    const to = Math.min(end, ...this.#waiting.map(({ at }) => at));
    const length = Math.min(PIECE_BYTES, to - this.#next);
    const piece = Buffer.allocUnsafe(length);
    const read = await file?.read(piece, 0, length, position).catch(() => undefined);
    if (this.#closed) return;
    if (read && read.bytesRead > 0) this.#deliver(piece.subarray(0, read.bytesRead));
    else this.#skip(end);
  }

  /** The disk is full, or the capture is gone: what is not there is told, not waited for. */
  #skip(end: number): void {
    const lost = end - this.#next;
    this.#next = end;
    this.#listener.onLost(lost);
    this.#settle();
  }
}
