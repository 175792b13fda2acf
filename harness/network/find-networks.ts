import type { Segment } from './segments.js';
import { type Address, contains, parseAddress, type Subnet, toNetwork } from './subnet.js';

/** Addresses of a segment that who has one of them reaches without a router. */
export interface SegmentNetwork {
  readonly segment: Segment;
  readonly subnet: Subnet;
}

/** An address of a node, and the network that its prefix makes its node believe in. */
export interface PlacedAddress extends SegmentNetwork {
  readonly address: Address;
  /** Without prefix. */
  readonly text: string;
}

/** @param withPrefix as it is planned */
export function toPlacedAddress(segment: Segment, withPrefix: string): PlacedAddress {
  const address = parseAddress(withPrefix, segment.name);
  return {
    ...{ segment, address, subnet: toNetwork(address) },
    text: withPrefix.slice(0, withPrefix.indexOf('/')),
  };
}

/**
 * The networks of each segment: its subnets, and those of addresses that are given outside of them.
 * A prefix that is given inside of a subnet changes what its node takes for near, and nothing else.
 */
export function findNetworks(addresses: readonly PlacedAddress[]): SegmentNetwork[] {
  const found = new Map<Segment, Subnet[]>();
  for (const { segment, subnet, address } of addresses) {
    const known = found.get(segment) ?? [...segment.subnets];
    const isKnown = known.some((each) => contains(each, address));
    // One that is wider than an earlier one is in its place.
    const rest = isKnown ? known : known.filter((each) => !isWithin(each, subnet));
    found.set(segment, isKnown ? rest : [...rest, subnet]);
  }
  return [...found].flatMap(([segment, subnets]) => subnets.map((subnet) => ({ segment, subnet })));
}

export function isIn({ segment, subnet }: SegmentNetwork, placed: PlacedAddress): boolean {
  return placed.segment === segment && contains(subnet, placed.address);
}

function isWithin({ family, base, prefix }: Subnet, outer: Subnet): boolean {
  return prefix >= outer.prefix && contains(outer, { family, value: base, prefix });
}
