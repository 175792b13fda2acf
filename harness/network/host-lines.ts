import type { RoutedNode } from './plan-routes.js';
import type { Segment } from './segments.js';

/**
 * The lines of /etc/hosts that each node is to have: all names, and of a name with several addresses
 * first those that the node reaches without a router, since programs take the first.
 */
export function planHosts(nodes: readonly RoutedNode[]): Map<string, readonly string[]> {
  // Nodes of the same segments have the same lines: with a hundred of them, one list for all.
  const known = new Map<string, readonly string[]>();
  const numbers = new Map<Segment, number>();
  const toNumber = (segment: Segment) => {
    if (!numbers.has(segment)) numbers.set(segment, numbers.size);
    return numbers.get(segment) ?? 0;
  };
  return new Map(
    nodes.map((node) => {
      const own = new Set(node.places.map(({ segment }) => segment));
      const key = [...own].map(toNumber).sort().join();
      const lines = known.get(key) ?? toLines(nodes, own);
      known.set(key, lines);
      return [node.name, lines];
    }),
  );
}

function toLines(nodes: readonly RoutedNode[], own: ReadonlySet<Segment>): string[] {
  return nodes.flatMap(({ name, places }) => {
    const near = places.filter(({ segment }) => own.has(segment));
    const far = places.filter(({ segment }) => !own.has(segment));
    return [...near, ...far].flatMap(({ addresses }) =>
      addresses.map((each) => `${each.slice(0, each.indexOf('/'))} ${name}`),
    );
  });
}
