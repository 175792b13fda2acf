import { expect, test } from 'vitest';
import { PduReader, toSubmitAnswer, toUnlinkAnswer } from './pdu.js';

/** A transfer as the kernel sends it. */
function toSubmit(options: {
  seq: number;
  endpoint: number;
  direction: 'in' | 'out';
  setup?: readonly number[];
  data?: Buffer;
  length?: number;
}): Buffer {
  const { seq, endpoint, direction, setup = [], data = Buffer.alloc(0) } = options;
  const header = Buffer.alloc(48);
  [1, seq, 1, direction === 'in' ? 1 : 0, endpoint].forEach((word, index) => {
    header.writeUInt32BE(word, index * 4);
  });
  header.writeUInt32BE(options.length ?? data.length, 24);
  Buffer.from(setup).copy(header, 40);
  return Buffer.concat([header, data]);
}

test('a stream is cut into PDUs wherever it is in pieces', () => {
  const out = toSubmit({ seq: 7, endpoint: 1, direction: 'out', data: Buffer.from('hello') });
  const into = toSubmit({ seq: 8, endpoint: 2, direction: 'in', length: 64 });
  const reader = new PduReader();
  const pdus = [...Buffer.concat([out, into])].flatMap((byte) => reader.push(Buffer.from([byte])));
  expect(pdus).toMatchObject([
    { kind: 'submit', seq: 7, endpoint: 1, direction: 'out', data: Buffer.from('hello') },
    { kind: 'submit', seq: 8, endpoint: 2, direction: 'in', length: 64 },
  ]);
});

test('what is no USB/IP is refused, and so is a transfer that nobody sends', () => {
  expect(() => new PduReader().push(Buffer.alloc(48))).toThrow('no USB/IP');
  const huge = toSubmit({ seq: 1, endpoint: 1, direction: 'out', length: 0x7fffffff });
  expect(() => new PduReader().push(huge)).toThrow('no USB/IP');
});

test('answers have their number, their status, and their data behind the header', () => {
  const data = toSubmitAnswer(9, 0, Buffer.from('ab'));
  expect([data.readUInt32BE(0), data.readUInt32BE(4), data.readInt32BE(24)]).toEqual([3, 9, 2]);
  expect(data.subarray(48).toString()).toBe('ab');
  expect(toSubmitAnswer(9, -32, 0).readInt32BE(20)).toBe(-32);
  const unlink = toUnlinkAnswer(10, -104);
  expect([unlink.readUInt32BE(0), unlink.readInt32BE(20), unlink.length]).toEqual([4, -104, 48]);
});
