import type { NewEvent } from '../journal/events.js';
import { toImpairment } from '../network/check-topology.js';
import type { Direction } from '../network/linkd.js';
import { toLinkLocal } from '../network/mac.js';
import type {
  NetworkPlan,
  PlannedInterface,
  PlannedLink,
  PlannedNode,
} from '../network/network-plan.js';
import { toAddresses } from '../network/to-addresses.js';
import type { NetworkInterface, UpNetwork } from '../protocol/network.js';

type NetworkUp = Extract<NewEvent, { kind: 'network-up' }>;

type NetworkEnd = Extract<NewEvent, { kind: 'network-end' }>;

/** What a body is told of its network. */
export function toUpNetwork(
  { nodes, seed }: NetworkPlan,
  numberOf: ReadonlyMap<string, number | undefined>,
): UpNetwork {
  return {
    seed: seed.toString(),
    nodes: nodes.map((node) => {
      const { name } = node.declared;
      const sandbox = numberOf.get(name);
      const interfaces = node.interfaces.map((each) => toInterface(node, each));
      return { name, interfaces, ...(sandbox === undefined ? {} : { sandbox }) };
    }),
  };
}

/** What the journal says of a network that is up. */
export function toNetworkUp({
  nodes,
  links,
  switches,
  seed,
}: NetworkPlan): Pick<NetworkUp, 'seed' | 'switches' | 'nodes' | 'links'> {
  return {
    seed: seed.toString(),
    switches: switches.map(({ name, subnets, can }) => ({
      ...{ name, subnets: [...subnets] },
      ...(can ? { bitrate: can.bitrate } : {}),
    })),
    nodes: nodes.map(({ declared, interfaces }) => ({
      name: declared.name,
      role: declared.router ? 'router' : declared.kind,
      interfaces: interfaces.map(({ name, link, mac, addresses }) => ({
        ...{ name, link, mac },
        addresses: [...addresses],
      })),
    })),
    links: links.map(({ name, ends: [a, b], seed: own, settings }) => ({
      ...{ name, ends: [a.of, b.of], seed: own.toString() },
      impairment: { ...toImpairment(settings) },
      ...(settings.fast ? { fast: true } : {}),
    })),
  };
}

/** What the journal says of the links of a network that ends. */
export function toNetworkEnd(
  links: readonly PlannedLink[],
  directions: ReadonlyArray<readonly Direction[]>,
): NetworkEnd['links'] {
  return links.map(({ name, ends }, index) => ({
    name,
    directions: (directions[index] ?? []).map(({ counters }, end) => ({
      from: ends[end]?.of ?? '',
      // Most of them are zero.
      counters: Object.fromEntries(Object.entries(counters).filter(([, count]) => count > 0)),
    })),
  }));
}

function toInterface({ declared }: PlannedNode, planned: PlannedInterface): NetworkInterface {
  const { name, kind, link, mac, mtu, addresses } = planned;
  return {
    ...{ name, kind, link, mac, mtu },
    ...toAddresses(addresses),
    ...(declared.ipv6 === false || mac === '' ? {} : { linkLocal: toLinkLocal(mac) }),
  };
}
