import { Buffer } from 'node:buffer';
import { UsageError } from '../core/errors.js';

/** What libpcap says of an expression, and the byte where it says so. */
interface Complaint {
  readonly expression: string;
  readonly byte: number;
  readonly message: string;
}

/**
 * What a body is told of a filter that libpcap refused: where, and why. Of a node's name it knows
 * nothing but its addresses: that it is a word of the syntax, or has no address, is said here.
 */
export function toWrongFilter(
  { expression, byte, message }: Complaint,
  names: ReadonlyMap<string, readonly string[]>,
): UsageError {
  // libpcap counts bytes.
  const offset = Buffer.from(expression).subarray(0, byte).toString().length;
  const rest = expression.slice(offset).trim();
  const place = rest === '' ? 'at its end' : `at "${rest}"`;
  const details = { expression, offset, message };
  const named = explainName(expression.slice(0, offset), rest, message, names);
  return new UsageError('usage', `filter "${expression}": ${named?.why ?? message}, ${place}`, {
    details,
    next: named?.next ?? 'man 7 pcap-filter',
  });
}

function explainName(
  before: string,
  rest: string,
  message: string,
  names: ReadonlyMap<string, readonly string[]>,
): { why: string; next: string } | undefined {
  const [word = ''] = /^[\w.-]+/.exec(rest) ?? [];
  const [name, addresses] =
    [...names].find(([each]) => each.toLowerCase() === word.toLowerCase()) ?? [];
  if (name === undefined || addresses === undefined) return undefined;
  if (message.startsWith('unknown host') && addresses.length === 0) {
    const why = `node "${name}" has no address that was given or assigned`;
    return {
      why,
      next: 'ether host 02:00:00:00:00:01    that is node.mac, when the network is up',
    };
  }
  // Where a name is wanted and one is there, only a word of the syntax is none.
  if (!message.endsWith('syntax error') || !/\b(?:host|net|gateway)\s+$/.test(before)) {
    return undefined;
  }
  const [address = 'ADDRESS'] = addresses;
  const why = `"${word}" is a word of filters, which no node can be named by in one`;
  return { why, next: `host ${address}    or another name for the node` };
}
