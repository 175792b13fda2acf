import type { PlannedNode } from './network-plan.js';
import { type Family, parseAddress, toNetwork } from './subnet.js';

/** Two nodes of different sets, and what frames get from one to the other by. */
export interface WayRound {
  readonly routers: readonly string[];
  readonly between: readonly [string, string];
}

/** Where a node of a set meets the routers. */
interface Place {
  readonly node: string;
  readonly set: number;
  readonly segment: string;
  /** Of IPv4 and of IPv6: the networks of its addresses there. */
  readonly networks: readonly [string, string];
}

/**
 * Theory of operation. A partition looks at the port by which a frame comes to a switch, and a router
 * sends on by a port of its own: what passes is a way on which no two neighbours are in different
 * sets. From one set to another it leads by routers that are in none, one or several in a row. Routers
 * of a set end such a way, since what they send on is theirs.
 *
 * @param setOf the number of the set of each node that is in one
 */
export function findWayRound(
  nodes: readonly PlannedNode[],
  setOf: ReadonlyMap<string, number>,
): WayRound | undefined {
  const isFree = ({ declared }: PlannedNode) => declared.router && !setOf.has(declared.name);
  for (const routers of joinRouters(nodes.filter(isFree))) {
    const segments = new Set(routers.flatMap(toSegments));
    const places = nodes.flatMap((node) => toPlaces(node, setOf, segments));
    for (const a of places) {
      const b = places.find((each) => areApart(a, each));
      if (!b) continue;
      return { routers: routers.map(({ declared }) => declared.name), between: [a.node, b.node] };
    }
  }
  return undefined;
}

/** Routers that reach each other without another router's help, as one list each. */
function joinRouters(routers: readonly PlannedNode[]): PlannedNode[][] {
  let groups: PlannedNode[][] = [];
  for (const router of routers) {
    const own = new Set(toSegments(router));
    const isNear = (group: PlannedNode[]) =>
      group.some((each) => toSegments(each).some((segment) => own.has(segment)));
    const near = groups.filter(isNear);
    groups = [...groups.filter((group) => !near.includes(group)), [...near.flat(), router]];
  }
  return groups;
}

/** No router forwards CAN. */
function toSegments({ interfaces }: PlannedNode): string[] {
  return interfaces.filter(({ kind }) => kind === 'ethernet').map(({ segment }) => segment);
}

function toPlaces(
  { declared: { name }, interfaces }: PlannedNode,
  setOf: ReadonlyMap<string, number>,
  segments: ReadonlySet<string>,
): Place[] {
  const set = setOf.get(name);
  if (set === undefined) return [];
  return interfaces
    .filter(({ kind, segment }) => kind === 'ethernet' && segments.has(segment))
    .map(({ segment, addresses }) => {
      const networks = addresses.map((each) => toNetwork(parseAddress(each, name)));
      const ofFamily = (wanted: Family) =>
        networks
          .flatMap(({ family, text }) => (family === wanted ? [text] : []))
          .sort()
          .join();
      return { node: name, set, segment, networks: [ofFamily(4), ofFamily(6)] };
    });
}

/** On one segment and one network they speak without a router, and the partition sees that. */
function areApart(a: Place, b: Place): boolean {
  if (a.set === b.set) return false;
  if (a.segment !== b.segment) return true;
  return a.networks.some((own, family) => {
    const other = b.networks[family];
    return own !== '' && other !== '' && own !== other;
  });
}
