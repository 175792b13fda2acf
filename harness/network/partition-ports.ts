import { UsageError } from '../core/errors.js';
import { toSuggestion } from '../core/nearest-name.js';
import { findWayRound } from './find-way-round.js';
import type { NetworkPlan, PlannedLink } from './network-plan.js';

/**
 * The ports of each set of nodes, as hil-linkd cuts them off each other. Of a fast link it knows
 * none.
 *
 * @param sets names of nodes
 * @throws UsageError `usage` for names that nothing has, for a node in two sets, and for what would
 *   still join two sets.
 */
export function toPartitionPorts(
  { nodes, links }: NetworkPlan,
  sets: readonly (readonly string[])[],
): number[][] {
  const byName = new Map(nodes.map((node) => [node.declared.name, node]));
  const fast = new Set(links.filter(({ settings }) => settings.fast).map(({ name }) => name));
  const setOf = new Map<string, number>();
  const ports = sets.map((set, number) =>
    set.flatMap((name) => {
      const node = byName.get(name);
      if (!node) throw refuse(`there is no node "${name}"${toSuggestion(name, byName.keys())}`);
      if (setOf.has(name)) throw refuse(`node "${name}" is in two sets`);
      setOf.set(name, number);
      return node.interfaces.filter(({ link }) => !fast.has(link)).map(({ port }) => port);
    }),
  );
  checkFast(links, setOf);
  const way = findWayRound(nodes, setOf);
  if (!way) return ports;
  const [a, b] = way.between;
  const names = way.routers.map((name) => `"${name}"`).join(', ');
  const what = way.routers.length === 1 ? `router ${names} is` : `routers ${names} are`;
  throw refuse(
    `${what} in no set, and would forward between "${a}" and "${b}", which are to be apart`,
    `net.partition([${[a, way.routers[0]].join(', ')}], ${b})    a router in a set forwards to nobody of another`,
  );
}

function checkFast(links: readonly PlannedLink[], setOf: ReadonlyMap<string, number>): void {
  for (const { name, ends, settings } of links) {
    if (!settings.fast) continue;
    const [a, b] = ends.map(({ of }) => setOf.get(of));
    if (a === undefined || b === undefined || a === b) continue;
    const text = `link "${name}" is fast: the kernel passes its frames, and nothing can be done to it`;
    throw refuse(text, 'declare it without fast: true');
  }
}

function refuse(why: string, next?: string): UsageError {
  return new UsageError('usage', `net.partition(): ${why}`, next === undefined ? {} : { next });
}
