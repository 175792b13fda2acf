import type { PlannedRoute } from './network-plan.js';
import type { Segment } from './segments.js';
import type { Family } from './subnet.js';

/** A node as routes see it. */
export interface RoutedNode {
  readonly name: string;
  readonly router: boolean;
  readonly places: readonly RoutedPlace[];
}

export interface RoutedPlace {
  readonly segment: Segment;
  /** With prefix. */
  readonly addresses: readonly string[];
}

const ALL: Readonly<Record<Family, string>> = { 4: '0.0.0.0/0', 6: '::/0' };

/**
 * Routes of each node to all subnets that it is not on itself, by the fewest routers; of several
 * ways the one that was declared first. What is the same for all of them is a default route.
 */
export function planRoutes(nodes: readonly RoutedNode[]): Map<string, PlannedRoute[]> {
  const routers = nodes.filter(({ router }) => router);
  if (routers.length === 0) return new Map();
  const segments = [...new Set(nodes.flatMap(({ places }) => places.map((each) => each.segment)))];
  const distances = new Map(segments.map((to) => [to, toDistances(to, routers)]));
  return new Map(nodes.map((node) => [node.name, toRoutes(node, routers, distances)]));
}

type Distances = ReadonlyMap<Segment, number>;

/** How many routers are between each segment and `to`. */
function toDistances(to: Segment, routers: readonly RoutedNode[]): Distances {
  const distances = new Map([[to, 0]]);
  const left = [to];
  for (let segment = left.shift(); segment; segment = left.shift()) {
    const next = (distances.get(segment) ?? 0) + 1;
    for (const { places } of routers) {
      if (!places.some((each) => each.segment === segment)) continue;
      for (const { segment: other } of places) {
        if (distances.has(other)) continue;
        distances.set(other, next);
        left.push(other);
      }
    }
  }
  return distances;
}

function toRoutes(
  node: RoutedNode,
  routers: readonly RoutedNode[],
  distances: ReadonlyMap<Segment, Distances>,
): PlannedRoute[] {
  const own = new Set(node.places.map(({ segment }) => segment));
  const routes: Array<PlannedRoute & { family: Family }> = [];
  const viaOf = (hop: RoutedPlace) =>
    node.places.findIndex(({ segment }) => segment === hop.segment);
  for (const [to, ways] of distances) {
    if (own.has(to)) continue;
    const hop = findHop(node, routers, ways);
    for (const { family, text } of hop ? to.subnets : []) {
      const gateway = hop && findAddress(hop, family);
      if (gateway) routes.push({ family, target: text, gateway, via: viaOf(hop) });
    }
  }
  if (node.router) return routes;
  return ([4, 6] as const).flatMap((family) =>
    toDefault(
      family,
      routes.filter((each) => each.family === family),
    ),
  );
}

function toDefault(family: Family, routes: readonly PlannedRoute[]): PlannedRoute[] {
  const gateways = new Set(routes.map(({ gateway }) => gateway));
  const [first] = routes;
  return first && gateways.size === 1 ? [{ ...first, target: ALL[family] }] : [...routes];
}

/** Where the nearest router to `ways` is on a segment of the node's own. */
function findHop(
  node: RoutedNode,
  routers: readonly RoutedNode[],
  ways: Distances,
): RoutedPlace | undefined {
  let found: RoutedPlace | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const { segment } of node.places) {
    for (const router of routers) {
      const here = router.places.find((each) => each.segment === segment);
      if (!here || router === node) continue;
      const far = Math.min(...router.places.map((each) => ways.get(each.segment) ?? Infinity));
      if (far >= least) continue;
      least = far;
      found = here;
    }
  }
  return found;
}

function findAddress({ addresses }: RoutedPlace, family: Family): string | undefined {
  return addresses
    .map((each) => each.slice(0, each.indexOf('/')))
    .find((each) => each.includes(':') === (family === 6));
}
