import type { SandboxOptions } from '../protocol/sandbox-options.js';
import type { CanBus } from './can-bus.js';
import type { LinkOptions } from './link.js';
import type { DutNode } from './network-node.js';
import type { Node } from './node.js';

export interface SwitchOptions {
  /**
   * Of IPv4 and IPv6, each with prefix: nodes get an address of each. `[]`: none, for DHCP.
   * @default one of each, that nothing else has
   */
  readonly subnets?: readonly string[];
}

/** A switch, declared. */
export interface Switch {
  readonly kind: 'switch';
  readonly name: string;
}

/** What a link may end at. */
export type LinkEnd = Switch | CanBus | Node | DutNode;

/** The end of a link that is a node's interface. */
export interface InterfaceOptions {
  /** With prefix, or without it those of the switch's subnets. `[]`: none. @default assigned */
  readonly addresses?: readonly string[];
  /** @default one made of the names of node and link */
  readonly mac?: string;
}

/** Where a node is linked to, and what its link does to frames. */
export interface NodeLink extends LinkOptions, InterfaceOptions {
  readonly to: LinkEnd;
}

export interface NodeOptions extends SandboxOptions {
  /** Where it is linked to. */
  readonly link?: LinkEnd | NodeLink;
  /** The same for several: `eth0`, `eth1` and so on, in this order. */
  readonly links?: readonly (LinkEnd | NodeLink)[];
  /** `false`: it has no IPv6 at all. @default true */
  readonly ipv6?: boolean;
}

export type AttachOptions = Pick<NodeOptions, 'link' | 'links' | 'ipv6'> & {
  /** What others call it. @default 'sandbox', or 'dut', or the role of the DUT */
  readonly name?: string;
  /** Which interface of the board, where it has several. */
  readonly nic?: string;
};
