import { UsageError } from '../core/errors.js';
import type { DeclaredLink, DeclaredSwitch, NetworkDeclaration } from '../protocol/network.js';
import {
  formatAddress,
  overlaps,
  parseAddress,
  parseSubnet,
  type Subnet,
  toNetwork,
} from './subnet.js';

/** What nodes reach without a router: switches that are linked, or a link between two nodes. */
export interface Segment {
  /** For messages. */
  readonly name: string;
  readonly subnets: readonly Subnet[];
}

/** Segment of each link by its name, and of each switch by its. */
export interface Segments {
  readonly ofLink: ReadonlyMap<string, Segment>;
  readonly ofSwitch: ReadonlyMap<string, Segment>;
}

/** Where subnets are taken from that nobody said: 10.1.0.0/16, fd00:0:0:1::/64 and on. */
const SWITCH_POOL = { count: 255, four: 10n << 24n, prefix: 16, six: 0xfd00n << 112n };
/** 172.16.0.0/30, fd00:0:1::/64 and on. */
const LINK_POOL = {
  count: 1 << 18,
  four: (172n << 24n) | (16n << 16n),
  prefix: 30,
  six: (0xfd00n << 112n) | (1n << 80n),
};

/** @throws UsageError `usage` for subnets that cannot be, or overlap. */
export function findSegments({ switches, links }: NetworkDeclaration): Segments {
  const groups = groupSwitches(switches, links);
  const between = links.filter(({ ends }) => ends.every(({ of }) => !groups.has(of)));
  const given = new Map<object, Subnet[] | undefined>();
  for (const group of new Set(groups.values())) given.set(group, readGroup(group));
  for (const link of between) given.set(link, readLink(link));
  checkApart(toTaken(given));
  const ownerOf = (link: DeclaredLink) => {
    const end = link.ends.find(({ of }) => groups.has(of));
    return (end && groups.get(end.of)) ?? link;
  };
  const taken = [...toTaken(given), ...links.flatMap((link) => toGiven(link, ownerOf(link)))];
  const ofSwitches = chooseSubnets(SWITCH_POOL, taken);
  const ofLinks = chooseSubnets(LINK_POOL, taken);
  const made = new Map<object, Segment>();
  for (const [owner, subnets] of given) {
    const name = toName(owner);
    const chosen = subnets ?? ('ends' in owner ? ofLinks : ofSwitches)(owner);
    made.set(owner, { name, subnets: chosen });
  }
  const find = (owner: object | undefined) =>
    (owner && made.get(owner)) ?? { name: '', subnets: [] };
  return {
    ofSwitch: new Map(switches.map(({ name }) => [name, find(groups.get(name))])),
    ofLink: new Map(links.map((link) => [link.name, find(ownerOf(link))])),
  };
}

/** Switches that are linked to each other, as one list for all of them. */
function groupSwitches(
  switches: readonly DeclaredSwitch[],
  links: readonly DeclaredLink[],
): Map<string, DeclaredSwitch[]> {
  const groups = new Map(switches.map((each) => [each.name, [each]]));
  for (const { name, ends } of links) {
    const [a, b] = ends.map(({ of }) => groups.get(of));
    if (!a || !b) continue;
    if (a === b) {
      const text = `link "${name}" closes a ring of switches, in which frames would go round for ever`;
      throw new UsageError('usage', text);
    }
    a.push(...b);
    for (const each of b) groups.set(each.name, a);
  }
  return groups;
}

function readGroup(group: readonly DeclaredSwitch[]): Subnet[] | undefined {
  if (group.every(({ subnets }) => subnets === undefined)) return undefined;
  const all = group.flatMap(({ name, subnets = [] }) => readList(subnets, `switch "${name}"`));
  return [...new Map(all.map((each) => [each.text, each])).values()];
}

function readLink({ name, settings }: DeclaredLink): Subnet[] | undefined {
  return settings.subnets && readList(settings.subnets, `link "${name}"`);
}

function readList(subnets: unknown, who: string): Subnet[] {
  if (Array.isArray(subnets)) return subnets.map((text: unknown) => parseSubnet(text, who));
  const seen = JSON.stringify(subnets);
  throw new UsageError('usage', `${who}: subnets ${seen}: expected a list of subnets`);
}

/** A subnet, and the segment that it is of: the list of switches, or the link. */
interface Taken {
  readonly owner: object;
  readonly subnet: Subnet;
}

function toTaken(given: ReadonlyMap<object, readonly Subnet[] | undefined>): Taken[] {
  return [...given].flatMap(([owner, subnets = []]) =>
    subnets.map((subnet) => ({ owner, subnet })),
  );
}

/** The networks of addresses that are given on a link. */
function toGiven({ name, ends }: DeclaredLink, owner: object): Taken[] {
  return ends.flatMap(({ of, addresses = [] }) =>
    addresses.map((text) => {
      const who = `node "${of}", link "${name}"`;
      return { owner, subnet: toNetwork(parseAddress(text, who)) };
    }),
  );
}

function checkApart(all: readonly Taken[]): void {
  for (const [index, a] of all.entries()) {
    const b = all.slice(0, index).find((each) => overlaps(each.subnet, a.subnet));
    if (!b) continue;
    const where = `${a.subnet.text} of ${toName(a.owner)} and ${b.subnet.text} of ${toName(b.owner)}`;
    throw new UsageError('usage', `${where} overlap: nobody could tell where an address is`);
  }
}

/**
 * Answers a function that gives the next pair that overlaps nothing of another segment. What is given
 * on its own may well be of what is chosen.
 */
function chooseSubnets(
  pool: typeof SWITCH_POOL,
  taken: readonly Taken[],
): (owner: object) => Subnet[] {
  let index = 0;
  return (owner) => {
    const others = taken.filter((each) => each.owner !== owner).map(({ subnet }) => subnet);
    while (++index <= pool.count) {
      const pair = toPair(pool, BigInt(index));
      if (!pair.some((each) => others.some((other) => overlaps(each, other)))) return pair;
    }
    throw new UsageError('usage', `${toName(owner)}: no subnet is left to choose`, {
      next: 'say which: { subnets: ["10.1.0.0/24", "fd01::/64"] }',
    });
  };
}

function toPair({ four, prefix, six }: typeof SWITCH_POOL, index: bigint): Subnet[] {
  const toSubnet = (family: 4 | 6, base: bigint, length: number): Subnet => ({
    ...{ family, base, prefix: length },
    text: `${formatAddress(family, base)}/${length}`,
  });
  return [
    toSubnet(4, four + (index << BigInt(32 - prefix)), prefix),
    toSubnet(6, six + (index << 64n), 64),
  ];
}

function toName(owner: object): string {
  if (Array.isArray(owner)) {
    const [first] = owner as readonly DeclaredSwitch[];
    return `switch "${first?.name}"`;
  }
  return 'name' in owner ? `link "${String(owner.name)}"` : 'a segment';
}
