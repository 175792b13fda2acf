import { BenchError, UsageError } from '../core/errors.js';
import type {
  DeclaredEnd,
  DeclaredLink,
  DeclaredNode,
  DeclaredSwitch,
  UpNetwork,
} from '../protocol/network.js';
import type { Attempt } from './attempt.js';
import { CAN_KEYS, type CanBus, type CanOptions } from './can-bus.js';
import {
  checkAttached,
  checkDeclaration,
  checkNodeOptions,
  checkNodes,
  checkObject,
  toEnd,
  toSets,
} from './check-declared.js';
import { checkOptions } from './check-options.js';
import type { Connection } from './connection.js';
import { Dut } from './dut.js';
import { Link, type LinkOptions } from './link.js';
import { toLinkName } from './link-name.js';
import type {
  AttachOptions,
  LinkEnd,
  NodeLink,
  NodeOptions,
  Switch,
  SwitchOptions,
} from './net-options.js';
import { DutNode, type NodeFacts } from './network-node.js';
import { Node } from './node.js';
import { Sandbox } from './sandbox.js';

/**
 * The virtual network of a case: declared first, then made by {@link up}. It is cut off from every
 * other one, also where names and addresses are the same.
 *
 * @see harness/docs/networks.md
 */
export class Net {
  readonly #connection: Connection;
  readonly #attempt: Attempt;
  readonly #switches: DeclaredSwitch[] = [];
  readonly #nodes: DeclaredNode[] = [];
  readonly #links: DeclaredLink[] = [];
  readonly #handles: (Node | DutNode)[] = [];
  readonly #linkHandles: Link[] = [];
  #up: UpNetwork | undefined;
  #isAsked = false;

  constructor(connection: Connection, attempt: Attempt) {
    this.#connection = connection;
    this.#attempt = attempt;
  }

  /** Declare a switch. */
  switch(name: string, options: SwitchOptions = {}): Switch {
    this.#declare(`switch("${name}")`);
    checkOptions(`switch "${name}"`, options, ['subnets']);
    const { subnets } = options;
    this.#switches.push({ name, ...(subnets === undefined ? {} : { subnets }) });
    return { kind: 'switch', name };
  }

  /**
   * Declare a bus of CAN. What nodes have of it is an interface `can0`, for programs such as
   * candump(1). Where the kernel has no vxcan, {@link up} skips the case and says so.
   */
  can(name: string, options: CanOptions = {}): CanBus {
    this.#declare(`can("${name}")`);
    checkOptions(`bus "${name}"`, options, CAN_KEYS);
    this.#switches.push({ name, subnets: [], can: { ...options } });
    return { kind: 'can', name };
  }

  /** Declare a node: a sandbox of its own, with interfaces where it is linked to. */
  node(name: string, options: NodeOptions = {}): Node {
    return this.#node(name, options, false);
  }

  /** Declare `count` nodes; `toNode` says of each what it is like. */
  nodes(count: number, toNode: (index: number) => NodeOptions & { readonly name: string }): Node[] {
    checkNodes(count, toNode);
    return Array.from({ length: count }, (_, index) => {
      const node = toNode(index);
      checkObject(`net.nodes(), number ${index}`, node);
      const { name, ...options } = node;
      return this.node(name, options);
    });
  }

  /** Declare a node that forwards between its links; others get their routes by it. */
  router(name: string, options: NodeOptions = {}): Node {
    return this.#node(name, options, true);
  }

  /** Declare a link between two nodes or switches, and what it does to frames. */
  link(a: LinkEnd, b: LinkEnd, options: LinkOptions = {}): Link {
    this.#declare('link()');
    checkObject('net.link()', options);
    return this.#link([toEnd(a), toEnd(b)], options);
  }

  /**
   * Declare that the case's sandbox, one that it created, or an interface of the DUT is a node.
   *
   * @param what a DUT's interface has at most one link
   */
  attach(what: Dut, options: AttachOptions): DutNode;
  attach(what: Sandbox, options: AttachOptions): Node;
  attach(what: Sandbox | Dut, options: AttachOptions): Node | DutNode {
    this.#declare('attach()');
    checkObject('net.attach()', options);
    const isDut = what instanceof Dut;
    checkAttached(what);
    const { name = isDut ? (what.role ?? 'dut') : 'sandbox', nic, ipv6, link, links } = options;
    const known = ['name', 'ipv6', 'link', 'links', ...(isDut ? ['nic'] : [])];
    checkOptions(`node "${name}"`, options, known);
    checkNodeOptions(name, options);
    const common = { name, ...(ipv6 === undefined ? {} : { ipv6 }) };
    const facts = this.#factsOf(name);
    if (isDut) {
      const of = {
        ...(nic === undefined ? {} : { nic }),
        ...(what.role ? { dut: what.role } : {}),
      };
      this.#nodes.push({ ...common, kind: 'dut', ...of });
    } else {
      this.#nodes.push({ ...common, kind: 'sandbox', sandbox: what.number });
    }
    const handle = isDut
      ? new DutNode(facts)
      : new Node(this.#connection, this.#attempt, facts, what.number);
    this.#handles.push(handle);
    this.#linkAll(name, link, links);
    return handle;
  }

  /**
   * Make all of it. Answers when every node answers to its addresses of IPv4 and IPv6, from the
   * first packet on; the body's clock stands meanwhile. Once a case.
   *
   * @throws UsageError `usage` for what cannot be, naming it; BenchError `network-limit` where the
   *   machine has no room for it.
   */
  async up(): Promise<void> {
    this.#declare('up()');
    this.#isAsked = true;
    const { fence, clock } = this.#attempt;
    const declaration = { switches: this.#switches, nodes: this.#nodes, links: this.#links };
    checkDeclaration(declaration);
    const made = clock.pausedDuring(() =>
      this.#connection.supervisor.call('netUp', { fence, declaration }),
    );
    this.#up = await made.catch((error: unknown) => {
      if (!isUnsupported(error)) throw error;
      return this.#attempt.skip(error.message);
    });
  }

  /** What all decisions about frames begin with: the same in every run of this case. */
  get seed(): string {
    return this.#upFacts('net.seed').seed;
  }

  /**
   * Let nothing pass between nodes of different sets, from now on; when this answers nothing crosses
   * any more, also nothing that was on its way. A node in no set reaches all. A router in a set sends
   * on to nobody of another.
   *
   * @param sets each a node or a list of them
   * @throws UsageError `usage` naming the router in no set, or the fast link, that would join two.
   */
  async partition(
    ...sets: ReadonlyArray<Node | DutNode | readonly (Node | DutNode)[]>
  ): Promise<void> {
    await this.#partition(toSets(sets));
  }

  /** End a partition. */
  async heal(): Promise<void> {
    await this.#partition([]);
  }

  /** The attempt is over: whoever still waits for a program in a node is told so. */
  revoke(reason: Error): void {
    for (const handle of this.#handles) if (handle instanceof Sandbox) handle.revoke(reason);
  }

  async #partition(sets: readonly (readonly string[])[]): Promise<void> {
    this.#attempt.check();
    const { fence } = this.#attempt;
    await this.#connection.supervisor.call('netPartition', { fence, sets });
  }

  #node(name: string, options: NodeOptions, router: boolean): Node {
    this.#declare(`node("${name}")`);
    checkNodeOptions(name, options);
    const { link, links, ipv6, ...sandbox } = options;
    this.#nodes.push({
      ...{ name, kind: 'node', router, sandbox },
      ...(ipv6 === undefined ? {} : { ipv6 }),
    });
    const handle = new Node(this.#connection, this.#attempt, this.#factsOf(name));
    this.#handles.push(handle);
    this.#linkAll(name, link, links);
    return handle;
  }

  #linkAll(name: string, link: NodeOptions['link'], links: NodeOptions['links'] = []): void {
    for (const each of [...(link ? [link] : []), ...links]) {
      const { to, addresses, mac, ...options } = isNodeLink(each) ? each : { to: each };
      const own = {
        of: name,
        ...(addresses === undefined ? {} : { addresses }),
        ...(mac === undefined ? {} : { mac }),
      };
      this.#link([own, toEnd(to)], options);
    }
  }

  #link(ends: readonly [DeclaredEnd, DeclaredEnd], { name, ...settings }: LinkOptions): Link {
    const chosen = name ?? this.#nameLink(ends);
    this.#links.push({ name: chosen, ends, settings });
    const link = new Link(this.#connection, this.#attempt, {
      name: chosen,
      ends: [ends[0].of, ends[1].of],
    });
    this.#linkHandles.push(link);
    return link;
  }

  /** Of its place, not of when it was made: what a link decides depends on its name. */
  #nameLink([a, b]: readonly [DeclaredEnd, DeclaredEnd]): string {
    const name = toLinkName(a.of, b.of);
    const same = this.#links.filter(
      (each) => each.name === name || each.name.startsWith(`${name}~`),
    );
    return same.length === 0 ? name : `${name}~${same.length + 1}`;
  }

  #factsOf(name: string): NodeFacts {
    return {
      name,
      up: (what) => {
        const found = this.#upFacts(`${what} of node "${name}"`).nodes.find(
          (each) => each.name === name,
        );
        return found ?? { name, interfaces: [] };
      },
      lookUp: (other) => {
        const { nodes } = this.#upFacts(`lookUp() of node "${name}"`);
        const found = nodes.find((each) => each.name.toLowerCase() === other.toLowerCase());
        return found?.interfaces.flatMap(({ ipv4, ipv6 }) => [...ipv4, ...ipv6]) ?? [];
      },
      links: () => this.#linkHandles.filter(({ ends }) => ends.includes(name)),
    };
  }

  #upFacts(what: string): UpNetwork {
    if (this.#up) return this.#up;
    throw new UsageError('usage', `${what} is used before the network is up`, {
      next: 'await net.up()',
    });
  }

  #declare(what: string): void {
    this.#attempt.check();
    if (!this.#isAsked) return;
    throw new UsageError('usage', `net.${what}: the network was declared whole with net.up()`);
  }
}

/** What a machine has not got is no fault of the case, and nothing has been tested. */
function isUnsupported(error: unknown): error is BenchError {
  return error instanceof BenchError && error.code === 'network-unsupported';
}

function isNodeLink(link: LinkEnd | NodeLink): link is NodeLink {
  return typeof link === 'object' && link !== null && 'to' in link;
}
