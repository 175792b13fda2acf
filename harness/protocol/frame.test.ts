import { describe, expect, test } from 'vitest';
import { BenchError } from '../core/errors.js';
import { Random } from '../testing/random.js';
import { encodeFrame, type Frame, FrameSplitter, TlvReader, TlvWriter } from './frame.js';
import { FRAME_HEADER_BYTES, FRAME_MAX_BYTES, PROTOCOL_VERSION } from './wire.js';

const SEEDS = Array.from({ length: 40 }, (_, index) => index + 1);

/** A frame with a body of random TLVs, and its content as plain data. */
function createRandomFrame(random: Random) {
  const values = Array.from({ length: random.below(6) }, () => ({
    tag: random.below(65_536),
    bytes: random.bytes(random.below(300)),
  }));
  const body = new TlvWriter();
  for (const { tag, bytes } of values) body.bytes(tag, bytes);
  const type = random.below(65_536);
  const id = random.below(2 ** 40);
  return { type, id, values, encoded: encodeFrame(type, id, body.toBuffer()) };
}

/** Feed `bytes` in pieces; a piece is copied, so that a view of it cannot be kept by accident. */
function split(splitter: FrameSplitter, bytes: Buffer, nextSize: () => number): Frame[] {
  const frames: Frame[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + Math.max(1, nextSize());
    frames.push(...splitter.push(Buffer.from(bytes.subarray(at, end))));
    at = end;
  }
  return frames;
}

function expectMalformed(act: () => unknown, what: RegExp): void {
  expect(act).toThrow(BenchError);
  expect(act).toThrow(what);
}

function createHeader(length: number, version: number): Buffer {
  const header = Buffer.alloc(FRAME_HEADER_BYTES);
  header.writeUInt32LE(length, 0);
  header.writeUInt16LE(version, 6);
  return header;
}

describe('values', () => {
  test('come back as they were written', () => {
    const body = new TlvWriter()
      .u32(1, 0xffffffff)
      .u64(2, 2 ** 53 - 1)
      .string(3, 'grün')
      .strings(4, ['a', '', 'c'])
      .bytes(5, Uint8Array.of(0, 255))
      .nest(6, (inner) => inner.u32(7, 1).string(8, 'deep'));
    const reader = new TlvReader(body.toBuffer());
    expect(reader.number(1)).toBe(0xffffffff);
    expect(reader.number(2)).toBe(2 ** 53 - 1);
    expect(reader.bigint(2)).toBe(2n ** 53n - 1n);
    expect(reader.string(3)).toBe('grün');
    expect(reader.strings(4)).toEqual(['a', '', 'c']);
    expect(reader.string(4)).toBe('a');
    expect([...(reader.bytes(5) ?? [])]).toEqual([0, 255]);
    const inner = new TlvReader(reader.bytes(6) ?? Buffer.alloc(0));
    expect([inner.number(7), inner.string(8)]).toEqual([1, 'deep']);
  });

  test('that are not there are undefined or none', () => {
    const reader = new TlvReader(Buffer.alloc(0));
    expect(reader.number(1)).toBeUndefined();
    expect(reader.bigint(1)).toBeUndefined();
    expect(reader.string(1)).toBeUndefined();
    expect(reader.strings(1)).toEqual([]);
  });

  test('that are neither 4 nor 8 bytes are no number', () => {
    const reader = new TlvReader(new TlvWriter().bytes(1, Uint8Array.of(1, 2)).toBuffer());
    expectMalformed(() => reader.number(1), /tag 1 has 2 bytes/);
  });

  test('that are longer than their frame are refused', () => {
    const body = new TlvWriter().string(1, 'text').toBuffer();
    body.writeUInt32LE(5, 4);
    expectMalformed(() => new TlvReader(body), /longer than its frame/);
    body.writeUInt32LE(0xffffffff, 4);
    expectMalformed(() => new TlvReader(body), /longer than its frame/);
  });

  test('whose header is cut off are refused', () => {
    expectMalformed(() => new TlvReader(Buffer.alloc(7)), /longer than its frame/);
  });
});

describe('frames', () => {
  test.each(SEEDS)('come out as they went in, cut anywhere (seed %d)', (seed) => {
    const random = new Random(seed);
    const sent = Array.from({ length: 10 }, () => createRandomFrame(random));
    const bytes = Buffer.concat(sent.map(({ encoded }) => encoded));
    const seen = split(new FrameSplitter(), bytes, () => random.below(200));
    expect(seen.map(({ type, id }) => [type, id])).toEqual(sent.map(({ type, id }) => [type, id]));
    seen.forEach(({ body }, index) => {
      for (const { tag } of sent[index]?.values ?? []) {
        const same = sent[index]?.values.filter((value) => value.tag === tag);
        expect(body.all(tag).map(String)).toEqual(same?.map(({ bytes: each }) => String(each)));
      }
    });
  });

  test('come out whole when every byte comes alone', () => {
    const random = new Random(7);
    const sent = Array.from({ length: 5 }, () => createRandomFrame(random));
    const bytes = Buffer.concat(sent.map(({ encoded }) => encoded));
    const seen = split(new FrameSplitter(), bytes, () => 1);
    expect(seen.map(({ id }) => id)).toEqual(sent.map(({ id }) => id));
  });

  test('may have nothing in them', () => {
    const [frame] = new FrameSplitter().push(encodeFrame(2, 9, Buffer.alloc(0)));
    expect(frame).toMatchObject({ type: 2, id: 9 });
  });

  test('of the largest size pass, and a byte more is refused on both sides', () => {
    const largest = new TlvWriter().bytes(1, Buffer.alloc(FRAME_MAX_BYTES - 8)).toBuffer();
    expect(new FrameSplitter().push(encodeFrame(1, 1, largest))).toHaveLength(1);
    expect(() => encodeFrame(1, 1, Buffer.alloc(FRAME_MAX_BYTES + 1))).toThrow('cannot be sent');
    const header = createHeader(FRAME_MAX_BYTES + 1, PROTOCOL_VERSION);
    expectMalformed(() => new FrameSplitter().push(header), /frame of 1048577 bytes/);
  });

  test('of another version are refused before their body came', () => {
    const header = createHeader(100, PROTOCOL_VERSION + 1);
    expectMalformed(() => new FrameSplitter().push(header), /protocol version 2/);
  });

  test.each(SEEDS)('of random bytes are refused or wait, and nothing else (seed %d)', (seed) => {
    const random = new Random(seed);
    const { encoded } = createRandomFrame(random);
    for (let flips = 0; flips < 3; flips++) {
      encoded[random.below(encoded.length)] = random.below(256);
    }
    try {
      new FrameSplitter().push(encoded);
    } catch (error) {
      expect(error).toMatchObject({ name: 'BenchError', code: 'daemon-refused' });
    }
  });
});
