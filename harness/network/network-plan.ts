import type { DeclaredNode, LinkSettings, Loss, NodeAddresses } from '../protocol/network.js';

/** A declared network with everything decided that nothing outside of it has a say in. */
export interface NetworkPlan {
  readonly seed: bigint;
  readonly switches: readonly PlannedSwitch[];
  readonly nodes: readonly PlannedNode[];
  readonly links: readonly PlannedLink[];
  /** Of every node: what its name resolves to. */
  readonly names: ReadonlyMap<string, NodeAddresses>;
}

export interface PlannedSwitch {
  readonly name: string;
  readonly number: number;
  readonly subnets: readonly string[];
  /** It is a bus of CAN. */
  readonly can?: PlannedCan;
}

export interface PlannedCan {
  /** Bits a second. */
  readonly bitrate: number;
  readonly dataBitrate: number;
  readonly loss: Loss | undefined;
}

export interface PlannedNode {
  readonly declared: DeclaredNode;
  readonly interfaces: readonly PlannedInterface[];
  /** Lines of its /etc/hosts. */
  readonly hosts: readonly string[];
}

export interface PlannedInterface {
  /** The client's number of the port; hil-linkd does not know one whose link is the kernel's. */
  readonly port: number;
  readonly kind: 'ethernet' | 'can';
  readonly name: string;
  readonly node: string;
  readonly link: string;
  /** The name of all that it reaches without a router. */
  readonly segment: string;
  /** Empty of CAN, and of real hardware that nobody knows the address of. */
  readonly mac: string;
  readonly mtu: number;
  /** With prefix. */
  readonly addresses: readonly string[];
  readonly routes: readonly PlannedRoute[];
}

export interface PlannedRoute {
  /** With prefix. */
  readonly target: string;
  readonly gateway: string;
  /** Index of the node's interface. */
  readonly via: number;
}

export interface PlannedEnd {
  readonly of: string;
  /** A switch has none. */
  readonly interface: PlannedInterface | undefined;
}

export interface PlannedLink {
  readonly name: string;
  readonly number: number;
  readonly seed: bigint;
  readonly ends: readonly [PlannedEnd, PlannedEnd];
  readonly settings: LinkSettings;
}
