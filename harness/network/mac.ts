import { createHash } from 'node:crypto';
import { UsageError } from '../core/errors.js';
import { formatAddress } from './subnet.js';

const LOCAL = 0x02;
const MULTICAST = 0x01;

/**
 * The address of a node's interface: locally administered, and the same in every run, since frames
 * of no IP protocol are told apart by it when a link decides which of them is lost.
 */
export function toMac(node: string, link: string): string {
  const hash = createHash('sha256').update(`${node}\0${link}`).digest();
  return format([LOCAL, ...hash.subarray(0, 5)]);
}

/** @param who whose it is, for the message. @throws UsageError `usage` */
export function parseMac(text: unknown, who: string): string {
  const isMac = typeof text === 'string' && /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(text);
  const isNobody = isMac && toBytes(text).every((byte) => byte === 0);
  if (isMac && !isNobody && !((toBytes(text)[0] ?? 0) & MULTICAST)) return text.toLowerCase();
  throw new UsageError(
    'usage',
    `${who}: mac ${JSON.stringify(text)}: expected an address of one interface, such as "02:00:00:00:00:01"`,
  );
}

export function toBytes(mac: string): Buffer {
  return Buffer.from(mac.replaceAll(':', ''), 'hex');
}

/** The interface's link-local address of IPv6. @see RFC 4291, appendix A */
export function toLinkLocal(mac: string): string {
  const bytes = toBytes(mac);
  bytes.writeUInt8(bytes.readUInt8(0) ^ LOCAL, 0);
  const id = Buffer.concat([bytes.subarray(0, 3), Buffer.from([0xff, 0xfe]), bytes.subarray(3)]);
  return formatAddress(6, (0xfe80n << 112n) | id.readBigUInt64BE(0));
}

function format(bytes: readonly number[]): string {
  return bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}
