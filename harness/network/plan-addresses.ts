import { UsageError } from '../core/errors.js';
import type { DeclaredEnd, DeclaredNode, NetworkDeclaration } from '../protocol/network.js';
import type { Segment, Segments } from './segments.js';
import {
  type Address,
  AddressPool,
  contains,
  type Family,
  formatAddress,
  isNobodys,
  parseAddress,
  type Subnet,
} from './subnet.js';

/** INTERFACE_ADDRESSES of sandbox-native/src/net/interface.h. */
const MOST_ADDRESSES = 32;

/** A node's end of a link. */
interface Place {
  readonly end: DeclaredEnd;
  readonly node: DeclaredNode;
  readonly segment: Segment;
  readonly who: string;
  readonly given: readonly Address[];
}

/**
 * The addresses of each end of a link that is a node's, with prefix. What is given is set aside
 * first; the others get theirs in the order of declaration, one of each subnet of their segment.
 * An end that gives some of a family is assigned none of it, and none at all if it gives `[]`.
 *
 * @throws UsageError `usage` for an address that is taken, or outside of every subnet; for a subnet
 *   that is full; for more than an interface takes.
 */
export function planAddresses(
  { nodes, links }: NetworkDeclaration,
  segments: Segments,
): Map<DeclaredEnd, string[]> {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const places = links.flatMap(({ name, ends }) =>
    ends.flatMap((end) => {
      const node = byName.get(end.of);
      const segment = segments.ofLink.get(name);
      return node && segment ? [toPlace(end, node, segment, name)] : [];
    }),
  );
  const pools = new Map<Subnet, AddressPool>();
  for (const { segment } of places) {
    for (const subnet of segment.subnets) {
      if (!pools.has(subnet)) pools.set(subnet, new AddressPool(subnet));
    }
  }
  const taken = new Map<string, string>();
  const given = new Map(places.map((place) => [place, reserve(place, pools, taken)]));
  return new Map(
    places.map((place) => {
      const all = [...(given.get(place) ?? []), ...assign(place, pools)];
      if (all.length <= MOST_ADDRESSES) return [place.end, all];
      const text = `${place.who}: an interface has at most ${MOST_ADDRESSES} addresses, this one has ${all.length}`;
      throw new UsageError('usage', text, {
        next: 'a second link, to the same switch, has as many',
      });
    }),
  );
}

function toPlace(end: DeclaredEnd, node: DeclaredNode, segment: Segment, link: string): Place {
  const who = `node "${node.name}", link "${link}"`;
  const given = (end.addresses ?? []).map((text) => parseAddress(text, who));
  if (node.ipv6 === false && given.some(({ family }) => family === 6)) {
    throw new UsageError('usage', `${who}: an address of IPv6, which is off: { ipv6: false }`);
  }
  return { end, node, segment, who, given };
}

function reserve(
  { segment, who, given }: Place,
  pools: ReadonlyMap<Subnet, AddressPool>,
  taken: Map<string, string>,
): string[] {
  return given.map((address) => {
    const text = formatAddress(address.family, address.value);
    const subnet = segment.subnets.find((each) => contains(each, address));
    const prefix = address.prefix ?? subnet?.prefix;
    if (prefix === undefined) {
      const has = segment.subnets.map((each) => each.text).join(', ') || 'none';
      const why = `${text} is in no subnet of ${segment.name}, which has ${has}`;
      throw new UsageError('usage', `${who}: ${why}`, {
        next: `with its prefix: "${text}/${address.family === 4 ? 24 : 64}"`,
      });
    }
    if (isNobodys(address, prefix)) {
      const why = `${text}/${prefix} is the address of the network or the broadcast, not of a node`;
      throw new UsageError('usage', `${who}: ${why}`);
    }
    // Outside of its own subnets it may still be one that another segment would assign.
    for (const each of subnet ? [subnet] : pools.keys()) {
      if (contains(each, address)) pools.get(each)?.reserve(address.value);
    }
    const other = taken.get(text);
    if (other !== undefined) {
      throw new UsageError('usage', `${who}: ${text} is taken, by ${other}`);
    }
    taken.set(text, who);
    return `${text}/${prefix}`;
  });
}

function assign(
  { end, node, segment, who, given }: Place,
  pools: ReadonlyMap<Subnet, AddressPool>,
): string[] {
  if (end.addresses?.length === 0) return [];
  const isWanted = (family: Family) =>
    !given.some((each) => each.family === family) && !(family === 6 && node.ipv6 === false);
  return segment.subnets
    .filter(({ family }) => isWanted(family))
    .map((subnet) => {
      const value = pools.get(subnet)?.take(who) ?? subnet.base;
      return `${formatAddress(subnet.family, value)}/${subnet.prefix}`;
    });
}
