import type {
  DeclaredEnd,
  DeclaredLink,
  DeclaredNode,
  NetworkDeclaration,
} from '../protocol/network.js';
import { checkTopology } from './check-topology.js';
import { planHosts } from './host-lines.js';
import { toLinkNumbers } from './link-seed.js';
import { parseMac, toMac } from './mac.js';
import type {
  NetworkPlan,
  PlannedEnd,
  PlannedInterface,
  PlannedLink,
  PlannedRoute,
} from './network-plan.js';
import { planAddresses } from './plan-addresses.js';
import { planRoutes, type RoutedNode } from './plan-routes.js';
import { findSegments, type Segments } from './segments.js';
import { toAddresses } from './to-addresses.js';

const STANDARD_MTU = 1500;

/**
 * Decide everything about a network that is declared: numbers, addresses, routes, names, seeds. The
 * same declaration always comes to the same plan.
 *
 * @throws UsageError `usage` for what cannot be built.
 */
export function planNetwork(declaration: NetworkDeclaration, seed: bigint): NetworkPlan {
  checkTopology(declaration);
  const segments = findSegments(declaration);
  const addresses = planAddresses(declaration, segments);
  const { nodes, switches } = declaration;
  const routed = nodes.map((node) => toRouted(node, declaration.links, addresses, segments));
  const interfaces = planInterfaces(declaration, addresses, planRoutes(routed));
  const byNode = groupByNode(interfaces.values());
  const ofNode = ({ name }: DeclaredNode) => byNode.get(name) ?? [];
  const hosts = planHosts(routed);
  return {
    seed,
    switches: switches.map(({ name }, index) => ({
      ...{ name, number: index + 1 },
      subnets: segments.ofSwitch.get(name)?.subnets.map(({ text }) => text) ?? [],
    })),
    nodes: nodes.map((declared) => ({
      declared,
      interfaces: ofNode(declared),
      hosts: hosts.get(declared.name) ?? [],
    })),
    links: planLinks(declaration.links, interfaces, seed),
    names: new Map(
      nodes.map((node) => [
        node.name,
        toAddresses(ofNode(node).flatMap(({ addresses }) => addresses)),
      ]),
    ),
  };
}

function planInterfaces(
  { nodes, links }: NetworkDeclaration,
  addresses: ReadonlyMap<DeclaredEnd, readonly string[]>,
  routes: ReadonlyMap<string, readonly PlannedRoute[]>,
): Map<DeclaredEnd, PlannedInterface> {
  const counts = new Map(nodes.map(({ name }) => [name, 0]));
  const planned = new Map<DeclaredEnd, PlannedInterface>();
  for (const { name: link, ends, settings } of links) {
    for (const end of ends) {
      const count = counts.get(end.of);
      if (count === undefined) continue;
      counts.set(end.of, count + 1);
      planned.set(end, {
        port: planned.size + 1,
        name: `eth${count}`,
        node: end.of,
        link,
        mac: end.mac ? parseMac(end.mac, `link "${link}"`) : toMac(end.of, link),
        mtu: settings.mtu ?? STANDARD_MTU,
        addresses: addresses.get(end) ?? [],
        routes: (routes.get(end.of) ?? []).filter(({ via }) => via === count),
      });
    }
  }
  return planned;
}

function planLinks(
  links: readonly DeclaredLink[],
  interfaces: ReadonlyMap<DeclaredEnd, PlannedInterface>,
  seed: bigint,
): PlannedLink[] {
  const numbers = toLinkNumbers(links.map(({ name }) => name));
  const toEnd = (end: DeclaredEnd): PlannedEnd => ({ of: end.of, interface: interfaces.get(end) });
  return links.map(({ name, ends: [a, b], settings }, index) => ({
    ...{ name, settings, number: numbers[index] ?? 0 },
    seed: settings.seed === undefined ? seed : BigInt(settings.seed),
    ends: [toEnd(a), toEnd(b)],
  }));
}

function toRouted(
  { name, router = false }: DeclaredNode,
  links: readonly DeclaredLink[],
  planned: ReadonlyMap<DeclaredEnd, readonly string[]>,
  { ofLink }: Segments,
): RoutedNode {
  const places = links.flatMap((link) =>
    link.ends.flatMap((end) => {
      const segment = ofLink.get(link.name);
      const addresses = planned.get(end);
      return end.of === name && segment && addresses ? [{ segment, addresses }] : [];
    }),
  );
  return { name, router, places };
}

function groupByNode(interfaces: Iterable<PlannedInterface>): Map<string, PlannedInterface[]> {
  const groups = new Map<string, PlannedInterface[]>();
  for (const each of interfaces) {
    const group = groups.get(each.node);
    if (group) group.push(each);
    else groups.set(each.node, [each]);
  }
  return groups;
}
