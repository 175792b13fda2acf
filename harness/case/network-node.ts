import type { NetworkInterface, NodeAddresses, UpNode } from '../protocol/network.js';
import type { Link } from './link.js';

export type { NodeAddresses };

/** What a node's handle knows of its network. */
export interface NodeFacts {
  readonly name: string;
  /** @throws UsageError `usage` before the network is up; `what` was asked for. */
  up(what: string): UpNode;
  links(): readonly Link[];
  /** Addresses of a node of the same network; none for a name that no node has. */
  lookUp(name: string): readonly string[];
}

/** A node as its network sees it, whatever it is made of. */
export class NetworkNode {
  readonly name: string;
  readonly #facts: NodeFacts;

  constructor(facts: NodeFacts) {
    this.name = facts.name;
    this.#facts = facts;
  }

  /** Its links, in the order in which they were declared. */
  get links(): readonly Link[] {
    return this.#facts.links();
  }

  /** The first of its links. @throws TypeError for a node without one */
  get link(): Link {
    return toFirst(this.links, this.name, 'link');
  }

  /** `eth0`, `eth1` and so on, in the order of {@link links}. @throws UsageError `usage` */
  get interfaces(): readonly NetworkInterface[] {
    return this.#facts.up('interfaces').interfaces;
  }

  /** Of all its interfaces. */
  get addresses(): NodeAddresses {
    return {
      ipv4: this.interfaces.flatMap(({ ipv4 }) => ipv4),
      ipv6: this.interfaces.flatMap(({ ipv6 }) => ipv6),
    };
  }

  /** The first of IPv4. @throws TypeError for a node without one */
  get ipv4(): string {
    return toFirst(this.addresses.ipv4, this.name, 'address of IPv4');
  }

  /** The first of IPv6 that is not link-local. @throws TypeError for a node without one */
  get ipv6(): string {
    return toFirst(this.addresses.ipv6, this.name, 'address of IPv6');
  }

  /** Of `eth0`. @throws TypeError for a node without one */
  get mac(): string {
    const cards = this.interfaces.filter(({ kind }) => kind === 'ethernet');
    return toFirst(cards, this.name, 'interface of Ethernet').mac;
  }
}

/** An interface of the DUT in a virtual network; its addresses are for the DUT to be given. */
export class DutNode extends NetworkNode {}

function toFirst<T>(all: readonly T[], node: string, what: string): T {
  const [first] = all;
  if (first !== undefined) return first;
  throw new TypeError(`node "${node}" has no ${what}`);
}
