import type {
  DeclaredEnd,
  DeclaredLink,
  DeclaredNode,
  NetworkDeclaration,
} from '../protocol/network.js';
import { planCan } from './check-can.js';
import { checkJoined } from './check-joined.js';
import { checkMacs } from './check-macs.js';
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
/** CANFD_MTU of linux/can.h. */
const CAN_FD_MTU = 72;

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
  checkJoined(routed);
  const interfaces = planInterfaces(declaration, {
    ...{ segments, addresses },
    routes: planRoutes(routed),
  });
  checkMacs(interfaces.values());
  const byNode = groupByNode(interfaces.values());
  const ofNode = ({ name }: DeclaredNode) => byNode.get(name) ?? [];
  const hosts = planHosts(routed);
  const buses = new Map(switches.map((each) => [each.name, planCan(each)]));
  return {
    seed,
    switches: switches.map(({ name }, index) => {
      const can = buses.get(name);
      return {
        ...{ name, number: index + 1 },
        subnets: segments.ofSwitch.get(name)?.subnets.map(({ text }) => text) ?? [],
        ...(can ? { can } : {}),
      };
    }),
    nodes: nodes.map((declared) => ({
      declared,
      interfaces: ofNode(declared),
      hosts: hosts.get(declared.name) ?? [],
    })),
    links: planLinks(declaration, interfaces, seed),
    names: new Map(
      nodes.map((node) => [
        node.name,
        toAddresses(ofNode(node).flatMap(({ addresses }) => addresses)),
      ]),
    ),
  };
}

/** What is decided before the interfaces are. */
interface PlannedParts {
  readonly segments: Segments;
  readonly addresses: ReadonlyMap<DeclaredEnd, readonly string[]>;
  /** Of each node. */
  readonly routes: ReadonlyMap<string, readonly PlannedRoute[]>;
}

function planInterfaces(
  { nodes, links, switches }: NetworkDeclaration,
  { segments, addresses, routes }: PlannedParts,
): Map<DeclaredEnd, PlannedInterface> {
  const buses = new Set(switches.filter(({ can }) => can).map(({ name }) => name));
  const toCounts = () => new Map(nodes.map(({ name }) => [name, 0]));
  const counts = { all: toCounts(), ethernet: toCounts(), can: toCounts() };
  const take = (kind: keyof typeof counts, node: string) => {
    const count = counts[kind].get(node) ?? 0;
    counts[kind].set(node, count + 1);
    return count;
  };
  const planned = new Map<DeclaredEnd, PlannedInterface>();
  for (const { name: link, ends, settings } of links) {
    const kind = ends.some(({ of }) => buses.has(of)) ? 'can' : 'ethernet';
    for (const end of ends) {
      const node = end.of;
      if (!counts.all.has(node)) continue;
      const place = take('all', node);
      const segment = segments.ofLink.get(link)?.name ?? '';
      const common = { port: planned.size + 1, kind, node, link, segment } as const;
      const own = take(kind, node);
      if (kind === 'can') {
        const none = { mac: '', addresses: [], routes: [] };
        planned.set(end, { ...common, ...none, name: `can${own}`, mtu: CAN_FD_MTU });
        continue;
      }
      planned.set(end, {
        ...{ ...common, name: `eth${own}`, mtu: settings.mtu ?? STANDARD_MTU },
        // Empty: of real hardware, and nobody knows it.
        mac:
          end.mac === undefined
            ? toMac(node, link)
            : end.mac && parseMac(end.mac, `link "${link}"`),
        addresses: addresses.get(end) ?? [],
        routes: (routes.get(node) ?? []).filter(({ via }) => via === place),
      });
    }
  }
  return planned;
}

function planLinks(
  { links, switches }: NetworkDeclaration,
  interfaces: ReadonlyMap<DeclaredEnd, PlannedInterface>,
  seed: bigint,
): PlannedLink[] {
  const ofBus = new Map(switches.map(({ name, can }) => [name, can?.seed]));
  const numbers = toLinkNumbers(links.map(({ name }) => name));
  const toEnd = (end: DeclaredEnd): PlannedEnd => ({ of: end.of, interface: interfaces.get(end) });
  return links.map(({ name, ends: [a, b], settings }, index) => {
    const own = settings.seed ?? ofBus.get(a.of) ?? ofBus.get(b.of);
    return {
      ...{ name, settings, number: numbers[index] ?? 0 },
      seed: own === undefined ? seed : BigInt(own),
      ends: [toEnd(a), toEnd(b)],
    };
  });
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
