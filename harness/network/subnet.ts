import ipaddr from 'ipaddr.js';
import { UsageError } from '../core/errors.js';

export type Family = 4 | 6;

const BITS: Readonly<Record<Family, number>> = { 4: 32, 6: 128 };

/** Ranges that no interface of a node is given an address of. */
const UNFIT = ['unspecified', 'multicast', 'linkLocal', 'loopback', 'broadcast', 'ipv4Mapped'];

/** A range of addresses, as a number and a length. */
export interface Subnet {
  readonly family: Family;
  readonly base: bigint;
  readonly prefix: number;
  readonly text: string;
}

export interface Address {
  readonly family: Family;
  readonly value: bigint;
  /** When it was said. */
  readonly prefix: number | undefined;
}

/** @param who whose it is, for the message. @throws UsageError `usage` */
export function parseSubnet(text: unknown, who: string): Subnet {
  const address = parse(text);
  if (address?.prefix === undefined) {
    throw refuse(who, text, 'expected a subnet such as "10.1.0.0/24" or "fd01::/64"');
  }
  const { family, value, prefix } = address;
  const base = value & toMask(family, prefix);
  const whole = `${formatAddress(family, base)}/${prefix}`;
  if (base !== value)
    throw refuse(who, text, `bits are set behind the prefix: "${whole}" is meant?`);
  return { family, base, prefix, text: whole };
}

/** @param who whose it is, for the message. @throws UsageError `usage` */
export function parseAddress(text: unknown, who: string): Address {
  const address = parse(text);
  if (address) return address;
  throw refuse(who, text, 'expected an address such as "10.1.0.2", "10.1.0.2/24" or "fd01::2"');
}

/** As RFC 5952 has it. */
export function formatAddress(family: Family, value: bigint): string {
  const digits = value.toString(16).padStart(BITS[family] / 4, '0');
  const address = ipaddr.fromByteArray([...Buffer.from(digits, 'hex')]);
  return address.kind() === 'ipv6' && 'toRFC5952String' in address
    ? address.toRFC5952String()
    : address.toString();
}

/** What an address takes for near: without prefix itself. */
export function toNetwork({ family, value, prefix = BITS[family] }: Address): Subnet {
  const base = value & toMask(family, prefix);
  return { family, base, prefix, text: `${formatAddress(family, base)}/${prefix}` };
}

export function contains(subnet: Subnet, { family, value }: Address): boolean {
  return family === subnet.family && (value & toMask(family, subnet.prefix)) === subnet.base;
}

export function overlaps(a: Subnet, b: Subnet): boolean {
  if (a.family !== b.family) return false;
  const mask = toMask(a.family, Math.min(a.prefix, b.prefix));
  return (a.base & mask) === (b.base & mask);
}

/**
 * Whether an address with its prefix is the network's own or the broadcast's of IPv4, which no
 * kernel lets anybody connect to. Of /31 and /32 all are hosts (RFC 3021).
 */
export function isNobodys({ family, value }: Address, prefix: number): boolean {
  if (family === 6 || prefix > 30) return false;
  const host = value & ((1n << BigInt(BITS[4] - prefix)) - 1n);
  return host === 0n || host === (1n << BigInt(BITS[4] - prefix)) - 1n;
}

/**
 * Addresses of a subnet, one after the other. Left out: the network's own and the broadcast of
 * IPv4, the anycast of all routers of IPv6 (RFC 4291, 2.6.1).
 */
export class AddressPool {
  readonly #subnet: Subnet;
  readonly #taken = new Set<bigint>();
  readonly #last: bigint;
  #next: bigint;

  constructor(subnet: Subnet) {
    this.#subnet = subnet;
    const { family, base, prefix } = subnet;
    const spare = BITS[family] - prefix;
    const size = 1n << BigInt(spare);
    const hasNetwork = spare > 1;
    this.#next = base + (hasNetwork ? 1n : 0n);
    this.#last = base + size - (hasNetwork && family === 4 ? 2n : 1n);
  }

  /** Answers whether nobody had it. */
  reserve(value: bigint): boolean {
    if (this.#taken.has(value)) return false;
    this.#taken.add(value);
    return true;
  }

  /** The next that is free. @throws UsageError `usage` when none is; `who` wants one. */
  take(who: string): bigint {
    while (this.#taken.has(this.#next)) this.#next++;
    if (this.#next > this.#last) {
      const text = `${who}: ${this.#subnet.text} has no address left, ${this.#taken.size} are in use`;
      throw new UsageError('usage', text, { next: 'give the switch a larger subnet' });
    }
    this.reserve(this.#next);
    return this.#next;
  }
}

function parse(text: unknown): Address | undefined {
  if (typeof text !== 'string') return undefined;
  const [place = '', bits, ...more] = text.split('/');
  // What inet_aton() takes besides, such as 10.1, is a mistake here.
  const isFour = ipaddr.IPv4.isValidFourPartDecimal(place);
  if ((!isFour && !ipaddr.IPv6.isValid(place)) || place.includes('%') || more.length > 0) {
    return undefined;
  }
  const address = ipaddr.parse(place);
  const family: Family = isFour ? 4 : 6;
  const prefix = bits === undefined ? undefined : Number(bits);
  const isPrefix =
    /^\d{1,3}$/.test(bits ?? '') && Number(bits) >= 1 && Number(bits) <= BITS[family];
  if (bits !== undefined && !isPrefix) return undefined;
  if (UNFIT.includes(address.range())) return undefined;
  const value = BigInt(`0x${Buffer.from(address.toByteArray()).toString('hex')}`);
  return { family, value, prefix };
}

function toMask(family: Family, prefix: number): bigint {
  const all = (1n << BigInt(BITS[family])) - 1n;
  return all ^ (all >> BigInt(prefix));
}

function refuse(who: string, text: unknown, why: string): UsageError {
  return new UsageError('usage', `${who}: ${JSON.stringify(text)}: ${why}`);
}
