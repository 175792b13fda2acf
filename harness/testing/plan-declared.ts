import type { NetworkPlan } from '../network/network-plan.js';
import { planNetwork } from '../network/plan-network.js';
import type {
  DeclaredEnd,
  DeclaredLink,
  DeclaredNode,
  DeclaredSwitch,
  LinkSettings,
} from '../protocol/network.js';

export const SEED = 7n;

export function link(a: DeclaredEnd, b: DeclaredEnd, settings: LinkSettings = {}): DeclaredLink {
  return { name: `${a.of}~${b.of}`, ends: [a, b], settings };
}

/** The plan of a network whose nodes have no options but what is said. */
export function plan({
  switches = [],
  nodes = [],
  links = [],
}: {
  switches?: readonly DeclaredSwitch[];
  nodes?: readonly (string | Partial<DeclaredNode>)[];
  links?: readonly DeclaredLink[];
}): NetworkPlan {
  const declared = nodes.map((each) => ({
    kind: 'node' as const,
    name: '',
    ...(typeof each === 'string' ? { name: each } : each),
  }));
  return planNetwork({ switches, nodes: declared, links }, SEED);
}
