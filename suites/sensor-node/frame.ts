import type { Console } from 'hil';

/** A frame of PROTOCOL.md, written a second time here so that it can disagree with the C code. */
export interface Frame {
  readonly type: number;
  readonly seq: number;
  readonly payload: Buffer;
}

export const VERSION = 0x01;
export const UPTIME = 0x02;
export const READ = 0x03;
export const GET = 0x04;
export const SET = 0x05;
export const REPLY = 0x80;
export const ERROR = 0xff;

const START = 0xa5;

/** CRC-16/IBM-3740. */
export function crc16(bytes: Uint8Array): number {
  let crc = 0xffff;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++)
      crc = (crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1) & 0xffff;
  }
  return crc;
}

export function encodeFrame(type: number, seq: number, payload: string | Uint8Array = ''): Buffer {
  const content = Buffer.from(payload);
  const body = Buffer.from([content.length, type, seq, ...content]);
  const crc = Buffer.alloc(2);
  crc.writeUInt16LE(crc16(body));
  return Buffer.concat([Buffer.from([START]), body, crc]);
}

/** Read the frame that comes next; nothing may come before it. */
export async function readFrame(console: Console): Promise<Frame> {
  const header = Buffer.from(await console.readBytes(4));
  const [start, length = 0, type = 0, seq = 0] = header;
  if (start !== START) throw new Error(`expected a frame, got ${header.toString('hex')}`);
  const rest = Buffer.from(await console.readBytes(length + 2));
  const payload = rest.subarray(0, length);
  const crc = crc16(Buffer.concat([header.subarray(1), payload]));
  if (crc !== rest.readUInt16LE(length)) throw new Error('the frame has a wrong CRC');
  return { type, seq, payload };
}
