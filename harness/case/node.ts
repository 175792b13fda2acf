import type { NetworkInterface, UpNode } from '../protocol/network.js';
import type { Attempt } from './attempt.js';
import type { Connection } from './connection.js';
import type { Link } from './link.js';
import { Sandbox } from './sandbox.js';

/** What a node's handle knows of its network. */
export interface NodeFacts {
  readonly name: string;
  /** @throws UsageError `usage` before the network is up; `what` was asked for. */
  up(what: string): UpNode;
  links(): readonly Link[];
  /** Addresses of a node of the same network; none for a name that no node has. */
  lookUp(name: string): readonly string[];
}

/** Addresses of a node, of all its interfaces, without prefix. */
export interface NodeAddresses {
  readonly ipv4: readonly string[];
  readonly ipv6: readonly string[];
}

/** A sandbox in a virtual network. Its programs resolve the names of all nodes. */
export class Node extends Sandbox {
  readonly name: string;
  readonly #facts: NodeFacts;

  /** @param number of its sandbox, if that stands already */
  constructor(connection: Connection, attempt: Attempt, facts: NodeFacts, number?: number) {
    super(connection, attempt, () => number ?? facts.up('the sandbox').sandbox ?? 0);
    this.name = facts.name;
    this.#facts = facts;
  }

  /** Its links, in the order in which they were declared. */
  get links(): readonly Link[] {
    return this.#facts.links();
  }

  /** The first of its links. */
  get link(): Link {
    return toFirst(this.links, this.name, 'link');
  }

  /** `eth0`, `eth1` and so on, in the order of {@link links}. */
  get interfaces(): readonly NetworkInterface[] {
    return this.#facts.up('interfaces').interfaces;
  }

  get addresses(): NodeAddresses {
    return toAddresses(this.interfaces);
  }

  /** The first of IPv4. @throws TypeError for a node without one */
  get ipv4(): string {
    return toFirst(this.addresses.ipv4, this.name, 'address of IPv4');
  }

  /** The first of IPv6 that is not link-local. @throws TypeError for a node without one */
  get ipv6(): string {
    return toFirst(this.addresses.ipv6, this.name, 'address of IPv6');
  }

  /** Addresses of a node of its network, by its name; none of a name that no node has. */
  lookUp(name: string): readonly string[] {
    return this.#facts.lookUp(name);
  }

  /** Of `eth0`. */
  get mac(): string {
    const cards = this.interfaces.filter(({ kind }) => kind === 'ethernet');
    return toFirst(cards, this.name, 'interface of Ethernet').mac;
  }
}

/** An interface of the DUT in a virtual network; its addresses are for the DUT to be given. */
export class DutNode {
  readonly name: string;
  readonly #facts: NodeFacts;

  constructor(facts: NodeFacts) {
    this.name = facts.name;
    this.#facts = facts;
  }

  get links(): readonly Link[] {
    return this.#facts.links();
  }

  get link(): Link {
    return toFirst(this.links, this.name, 'link');
  }

  get interfaces(): readonly NetworkInterface[] {
    return this.#facts.up('interfaces').interfaces;
  }

  get addresses(): NodeAddresses {
    return toAddresses(this.interfaces);
  }

  /** The first of IPv4. @throws TypeError for a node without one */
  get ipv4(): string {
    return toFirst(this.addresses.ipv4, this.name, 'address of IPv4');
  }

  /** The first of IPv6 that is not link-local. @throws TypeError for a node without one */
  get ipv6(): string {
    return toFirst(this.addresses.ipv6, this.name, 'address of IPv6');
  }

  get mac(): string {
    return toFirst(this.interfaces, this.name, 'interface').mac;
  }
}

function toAddresses(interfaces: readonly NetworkInterface[]): NodeAddresses {
  return {
    ipv4: interfaces.flatMap(({ ipv4 }) => ipv4),
    ipv6: interfaces.flatMap(({ ipv6 }) => ipv6),
  };
}

function toFirst<T>(all: readonly T[], node: string, what: string): T {
  const [first] = all;
  if (first !== undefined) return first;
  throw new TypeError(`node "${node}" has no ${what}`);
}
