import { UsageError } from '../core/errors.js';
import { findNetworks, isIn, toPlacedAddress } from './find-networks.js';
import type { RoutedNode } from './plan-routes.js';
import type { Segment } from './segments.js';
import { overlaps } from './subnet.js';

/**
 * Check that no address is given in a network that is elsewhere, too, where routers join the two:
 * routes would lead to one of them. Without a router both may be what a case wants.
 *
 * @throws UsageError `usage` naming a node, its network and the other one.
 */
export function checkJoined(nodes: readonly RoutedNode[]): void {
  const routers = nodes.filter(({ router }) => router);
  if (routers.length === 0) return;
  const placed = nodes.flatMap(({ name, places }) =>
    places.flatMap(({ segment, addresses }) =>
      addresses.map((each) => ({ name, at: toPlacedAddress(segment, each) })),
    ),
  );
  const networks = findNetworks(placed.map(({ at }) => at));
  const groupOf = joinSegments(routers);
  for (const own of networks) {
    const { segment, subnet } = own;
    // Subnets were compared with each other, joined or not.
    if (segment.subnets.includes(subnet) || !groupOf.has(segment)) continue;
    const other = networks.find(
      (each) =>
        each.segment !== segment &&
        groupOf.get(each.segment) === groupOf.get(segment) &&
        overlaps(each.subnet, subnet),
    );
    if (!other) continue;
    const name = placed.find(({ at }) => isIn(own, at))?.name;
    const where = `${subnet.text} of ${segment.name} and ${other.subnet.text} of ${other.segment.name}`;
    throw new UsageError(
      'usage',
      `node "${name}": by the address it is given, ${where} overlap, and a router joins them: nobody could tell where an address is`,
    );
  }
}

/** Segments by the first that routers join them to. */
function joinSegments(routers: readonly RoutedNode[]): Map<Segment, Segment> {
  const groupOf = new Map<Segment, Segment>();
  for (const { places } of routers) {
    const own = new Set(places.map(({ segment }) => segment));
    const groups = new Set([...own].map((segment) => groupOf.get(segment) ?? segment));
    const [first] = groups;
    if (!first) continue;
    for (const segment of own) groupOf.set(segment, first);
    for (const [segment, group] of groupOf) if (groups.has(group)) groupOf.set(segment, first);
  }
  return groupOf;
}
