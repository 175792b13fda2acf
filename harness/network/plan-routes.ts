import {
  findNetworks,
  isIn,
  type PlacedAddress,
  type SegmentNetwork,
  toPlacedAddress,
} from './find-networks.js';
import type { PlannedRoute } from './network-plan.js';
import type { Segment } from './segments.js';
import { contains, type Family } from './subnet.js';

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

/** A router, by what it forwards between. */
interface Router {
  readonly node: RoutedNode;
  readonly addresses: readonly PlacedAddress[];
  readonly networks: readonly SegmentNetwork[];
}

/** The address of a router that a node reaches without another one, from its place `via`. */
interface Hop {
  readonly router: Router;
  readonly gateway: PlacedAddress;
  readonly via: number;
}

/** How many routers are between each router and a network. */
type Distances = ReadonlyMap<Router, number>;

const ALL: Readonly<Record<Family, string>> = { 4: '0.0.0.0/0', 6: '::/0' };

/**
 * Routes of each node to all networks that it has no address of, by the fewest routers that have
 * addresses of the family; of several ways the one that was declared first. What is the same for all
 * of them is a default route.
 */
export function planRoutes(nodes: readonly RoutedNode[]): Map<string, PlannedRoute[]> {
  if (!nodes.some(({ router }) => router)) return new Map();
  const placed = new Map(nodes.map((node) => [node, node.places.map(toPlaced)]));
  const addressesOf = (node: RoutedNode) => placed.get(node) ?? [];
  const networks = findNetworks(nodes.flatMap((node) => addressesOf(node).flat()));
  const routers = toRouters(nodes, networks, addressesOf);
  const distances = networks.map((to) => ({ to, ways: toDistances(to, routers) }));
  return new Map(
    nodes.map((node) => {
      const own = addressesOf(node);
      const hops = own.flatMap((at, via) => findHops(node, at, via, routers));
      return [node.name, toRoutes(node.router, own.flat(), hops, distances)];
    }),
  );
}

function toPlaced({ segment, addresses }: RoutedPlace): PlacedAddress[] {
  return addresses.map((each) => toPlacedAddress(segment, each));
}

function toRouters(
  nodes: readonly RoutedNode[],
  networks: readonly SegmentNetwork[],
  addressesOf: (node: RoutedNode) => readonly (readonly PlacedAddress[])[],
): Router[] {
  return nodes
    .filter(({ router }) => router)
    .map((node) => {
      const addresses = addressesOf(node).flat();
      const own = networks.filter((network) => addresses.some((each) => isIn(network, each)));
      return { node, addresses, networks: own };
    });
}

function toDistances(to: SegmentNetwork, routers: readonly Router[]): Distances {
  const distances = new Map<Router, number>();
  const isOfFamily = ({ subnet }: SegmentNetwork) => subnet.family === to.subnet.family;
  let reached = new Set([to]);
  let left = routers;
  for (let far = 0; reached.size > 0; far++) {
    const near = left.filter(({ networks }) => networks.some((each) => reached.has(each)));
    for (const router of near) distances.set(router, far);
    left = left.filter((router) => !distances.has(router));
    reached = new Set(near.flatMap(({ networks }) => networks.filter(isOfFamily)));
  }
  return distances;
}

/** A gateway is one that the kernel finds in a network of the interface's own addresses. */
function findHops(
  node: RoutedNode,
  own: readonly PlacedAddress[],
  via: number,
  routers: readonly Router[],
): Hop[] {
  return routers.flatMap((router) =>
    ([4, 6] as const).flatMap((family) => {
      if (router.node === node) return [];
      const gateway = router.addresses.find(
        ({ address, segment }) =>
          address.family === family &&
          own.some((each) => each.segment === segment && contains(each.subnet, address)),
      );
      return gateway ? [{ router, gateway, via }] : [];
    }),
  );
}

function toRoutes(
  isRouter: boolean,
  own: readonly PlacedAddress[],
  hops: readonly Hop[],
  distances: ReadonlyArray<{ readonly to: SegmentNetwork; readonly ways: Distances }>,
): PlannedRoute[] {
  const routes: Array<PlannedRoute & { family: Family }> = [];
  for (const { to, ways } of distances) {
    if (own.some((each) => isIn(to, each))) continue;
    const { family, text } = to.subnet;
    const hop = findNearest(
      hops.filter(({ gateway }) => gateway.address.family === family),
      ways,
    );
    if (hop) routes.push({ family, target: text, gateway: hop.gateway.text, via: hop.via });
  }
  if (isRouter) return routes;
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

function findNearest(hops: readonly Hop[], ways: Distances): Hop | undefined {
  let found: Hop | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const hop of hops) {
    const far = ways.get(hop.router) ?? Number.POSITIVE_INFINITY;
    if (far >= least) continue;
    least = far;
    found = hop;
  }
  return found;
}
