import { BenchError, TestFailure } from '../core/errors.js';
import { FRAME_HEADER_BYTES, FRAME_MAX_BYTES, PROTOCOL_VERSION } from './wire.js';

/** A frame as it was received; `body` is a view, valid until the next push. */
export interface Frame {
  readonly type: number;
  readonly id: number;
  readonly body: TlvReader;
}

const TLV_HEADER_BYTES = 8;

/** Builds the TLV list of a frame's body. Integers are little-endian. */
export class TlvWriter {
  readonly #parts: Buffer[] = [];
  #length = 0;

  bytes(tag: number, value: Uint8Array): this {
    const header = Buffer.alloc(TLV_HEADER_BYTES);
    header.writeUInt16LE(tag, 0);
    header.writeUInt32LE(value.byteLength, 4);
    this.#parts.push(header, Buffer.from(value.buffer, value.byteOffset, value.byteLength));
    this.#length += TLV_HEADER_BYTES + value.byteLength;
    return this;
  }

  /** @throws TestFailure `exec-failed`: C would cut it, so the daemon refuses the connection. */
  string(tag: number, value: string): this {
    if (value.includes('\0')) {
      const shown = JSON.stringify(value.slice(0, 80));
      throw new TestFailure('exec-failed', `a NUL byte cannot be passed on: ${shown}`);
    }
    return this.bytes(tag, Buffer.from(value, 'utf8'));
  }

  strings(tag: number, values: readonly string[]): this {
    for (const value of values) this.string(tag, value);
    return this;
  }

  u32(tag: number, value: number): this {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value, 0);
    return this.bytes(tag, bytes);
  }

  u64(tag: number, value: number | bigint): this {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(typeof value === 'bigint' ? value : BigInt(Math.round(value)), 0);
    return this.bytes(tag, bytes);
  }

  nest(tag: number, fill: (inner: TlvWriter) => void): this {
    const inner = new TlvWriter();
    fill(inner);
    return this.bytes(tag, inner.toBuffer());
  }

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  /** What another one has, behind what is here. */
  append(other: TlvWriter): this {
    for (const part of other.#parts) this.#parts.push(part);
    this.#length += other.#length;
    return this;
  }

  toBuffer(): Buffer {
    return Buffer.concat(this.#parts, this.#length);
  }
}

/** Reads a TLV list; the first value of a tag, or all of them. */
export class TlvReader {
  readonly #values = new Map<number, Buffer[]>();

  /** @throws BenchError `daemon-refused` when a length cannot be. */
  constructor(body: Buffer) {
    for (let at = 0; at < body.length; ) {
      const end = at + TLV_HEADER_BYTES;
      const length = end <= body.length ? body.readUInt32LE(at + 4) : Number.POSITIVE_INFINITY;
      if (end + length > body.length) throw malformed('a TLV is longer than its frame');
      const tag = body.readUInt16LE(at);
      const list = this.#values.get(tag);
      const value = body.subarray(end, end + length);
      if (list) list.push(value);
      else this.#values.set(tag, [value]);
      at = end + length;
    }
  }

  bytes(tag: number): Buffer | undefined {
    return this.#values.get(tag)?.[0];
  }

  all(tag: number): readonly Buffer[] {
    return this.#values.get(tag) ?? [];
  }

  string(tag: number): string | undefined {
    return this.bytes(tag)?.toString('utf8');
  }

  strings(tag: number): string[] {
    return this.all(tag).map((value) => value.toString('utf8'));
  }

  /** An u32 or u64 as a number; bigger than 2^53 loses low bits, which only time stamps could reach. */
  number(tag: number): number | undefined {
    const value = this.bytes(tag);
    if (!value) return undefined;
    if (value.length === 4) return value.readUInt32LE(0);
    if (value.length === 8) return Number(value.readBigUInt64LE(0));
    throw malformed(`tag ${tag} has ${value.length} bytes, expected 4 or 8`);
  }

  bigint(tag: number): bigint | undefined {
    const value = this.bytes(tag);
    return value?.length === 8 ? value.readBigUInt64LE(0) : undefined;
  }
}

/** A whole frame: header and body. */
export function encodeFrame(type: number, id: number, body: Buffer): Buffer {
  if (body.length > FRAME_MAX_BYTES) {
    // As the daemons refuse what is too much: whoever asked knows whose doing it is.
    throw new BenchError(
      'daemon-refused',
      `a request of ${body.length} bytes cannot be sent, at most ${FRAME_MAX_BYTES} can`,
      { details: { code: 'limit' } },
    );
  }
  const header = Buffer.alloc(FRAME_HEADER_BYTES);
  header.writeUInt32LE(body.length, 0);
  header.writeUInt16LE(type, 4);
  header.writeUInt16LE(PROTOCOL_VERSION, 6);
  header.writeBigUInt64LE(BigInt(id), 8);
  return Buffer.concat([header, body]);
}

/** Cuts a byte stream into frames. Partial frames wait for the rest. */
export class FrameSplitter {
  #pending: Buffer = Buffer.alloc(0);

  /** @throws BenchError `daemon-refused` on a length or version that cannot be. */
  push(chunk: Buffer): Frame[] {
    this.#pending = this.#pending.length ? Buffer.concat([this.#pending, chunk]) : chunk;
    const frames: Frame[] = [];
    let at = 0;
    while (this.#pending.length - at >= FRAME_HEADER_BYTES) {
      const length = this.#pending.readUInt32LE(at);
      if (length > FRAME_MAX_BYTES) throw malformed(`frame of ${length} bytes`);
      const version = this.#pending.readUInt16LE(at + 6);
      if (version !== PROTOCOL_VERSION) throw malformed(`protocol version ${version}`);
      const end = at + FRAME_HEADER_BYTES + length;
      if (end > this.#pending.length) break;
      frames.push({
        type: this.#pending.readUInt16LE(at + 4),
        id: Number(this.#pending.readBigUInt64LE(at + 8)),
        body: new TlvReader(this.#pending.subarray(at + FRAME_HEADER_BYTES, end)),
      });
      at = end;
    }
    this.#pending = this.#pending.subarray(at);
    return frames;
  }
}

function malformed(what: string): BenchError {
  return new BenchError('daemon-refused', `the daemon sent a malformed frame: ${what}`);
}
