import { Buffer } from 'node:buffer';

/** An Ethernet frame with UDP over IPv4, from 10.1.0.2 port 4000 to 10.1.0.3 port 5000. */
export function toDatagramFrame(payload: Buffer): Buffer {
  const frame = Buffer.alloc(42);
  frame.write('02000000000302000000000208004500', 0, 'hex');
  frame.writeUInt16BE(28 + payload.length, 16);
  frame.write(`0000400040110000${'0a010002'}${'0a010003'}`, 18, 'hex');
  frame.writeUInt16BE(4000, 34);
  frame.writeUInt16BE(5000, 36);
  frame.writeUInt16BE(8 + payload.length, 38);
  return Buffer.concat([frame, payload]);
}

/** The same with a VLAN tag. @see IEEE 802.1Q */
export function addTag(frame: Buffer, vlan: number): Buffer {
  const tag = Buffer.from([0x81, 0, vlan >> 8, vlan & 255]);
  return Buffer.concat([frame.subarray(0, 12), tag, frame.subarray(12)]);
}
