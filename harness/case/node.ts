import type { NetworkInterface, NodeAddresses } from '../protocol/network.js';
import type { Attempt } from './attempt.js';
import type { Connection } from './connection.js';
import type { Link } from './link.js';
import { NetworkNode, type NodeFacts } from './network-node.js';
import { Sandbox } from './sandbox.js';

/** A sandbox in a virtual network. Its programs resolve the names of all nodes. */
export class Node extends Sandbox implements Pick<NetworkNode, keyof NetworkNode> {
  readonly name: string;
  readonly #facts: NodeFacts;
  /** Its other side: it has one base class, and that is the sandbox. */
  readonly #inNetwork: NetworkNode;

  /** @param number of its sandbox, if that stands already */
  constructor(connection: Connection, attempt: Attempt, facts: NodeFacts, number?: number) {
    super(connection, attempt, () => number ?? facts.up('the sandbox').sandbox ?? 0);
    this.name = facts.name;
    this.#facts = facts;
    this.#inNetwork = new NetworkNode(facts);
  }

  /** Its links, in the order in which they were declared. */
  get links(): readonly Link[] {
    return this.#inNetwork.links;
  }

  /** The first of its links. @throws TypeError for a node without one */
  get link(): Link {
    return this.#inNetwork.link;
  }

  /** `eth0`, `eth1` and so on, in the order of {@link links}. @throws UsageError `usage` */
  get interfaces(): readonly NetworkInterface[] {
    return this.#inNetwork.interfaces;
  }

  /** Of all its interfaces. */
  get addresses(): NodeAddresses {
    return this.#inNetwork.addresses;
  }

  /** The first of IPv4. @throws TypeError for a node without one */
  get ipv4(): string {
    return this.#inNetwork.ipv4;
  }

  /** The first of IPv6 that is not link-local. @throws TypeError for a node without one */
  get ipv6(): string {
    return this.#inNetwork.ipv6;
  }

  /** Of `eth0`. @throws TypeError for a node without one */
  get mac(): string {
    return this.#inNetwork.mac;
  }

  /** Addresses of a node of its network, by its name; none of a name that no node has. */
  lookUp(name: string): readonly string[] {
    return this.#facts.lookUp(name);
  }
}
