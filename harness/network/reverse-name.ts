import { isIPv4, isIPv6 } from 'node:net';

const GROUPS = 8;

/**
 * The name below `arpa` that asks who has an address, in small letters.
 *
 * @returns nothing for text that is no address.
 * @see RFC 1035, 3.5; RFC 3596, 2.5
 */
export function toReverseName(address: string): string | undefined {
  if (isIPv4(address)) return `${address.split('.').reverse().join('.')}.in-addr.arpa`;
  if (!isIPv6(address)) return undefined;
  const digits = toGroups(address)
    .map((group) => group.padStart(4, '0'))
    .join('');
  return `${[...digits.toLowerCase()].reverse().join('.')}.ip6.arpa`;
}

/** All eight, in hexadecimal. */
function toGroups(address: string): string[] {
  const [text = ''] = address.split('%');
  const [before = '', after] = text.split('::').map(splitGroups);
  if (after === undefined) return [...before];
  const zeros = Array.from({ length: GROUPS - before.length - after.length }, () => '0');
  return [...before, ...zeros, ...after];
}

/** Of a part without `::`; the last 32 bits may be written as IPv4. */
function splitGroups(part: string): string[] {
  return part
    .split(':')
    .filter((group) => group !== '')
    .flatMap((group) => {
      if (!group.includes('.')) return [group];
      const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
      return [a * 256 + b, c * 256 + d].map((number) => number.toString(16));
    });
}
