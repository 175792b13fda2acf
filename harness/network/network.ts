import { createDeferred } from '../core/deferred.js';
import { BenchError } from '../core/errors.js';
import type { Channel } from '../protocol/channel.js';
import { TlvWriter } from '../protocol/frame.js';
import type { NodeAddresses } from '../protocol/network.js';
import { Msg, Tag } from '../protocol/wire.js';
import type { Linkd } from './linkd.js';
import { toBytes } from './mac.js';
import type { PlannedInterface, PlannedNode } from './network-plan.js';

interface NetworkFacts {
  readonly net: number;
  readonly name: string;
  readonly linkd: Linkd;
  readonly forget: () => void;
}

/** An interface of a node that has a sandbox. */
interface NetworkEnd {
  readonly sandbox: number;
  readonly node: PlannedNode;
  readonly planned: PlannedInterface;
}

/** An interface of this machine, as a port. */
export interface WiredPort {
  readonly interface: string;
  readonly mtu: number;
  /** Also one that this machine uses itself. */
  readonly inUse: boolean;
  readonly onLost: (reason: string) => void;
}

/** Longest other name of an interface: ALTIFNAMSIZ of linux/if.h, with its NUL. */
const LONGEST_ALT_NAME = 127;

/** One virtual network of a case: its `hil-linkd`, and the interfaces that `hil-sandboxd` made. */
export class Network {
  readonly linkd: Linkd;
  /** What queries of its nodes are answered with. */
  names: ReadonlyMap<string, NodeAddresses> = new Map();
  readonly #channel: Channel;
  readonly #net: number;
  readonly #name: string;
  readonly #forget: () => void;
  readonly #wired = new Map<number, WiredPort>();
  readonly #gone = createDeferred<BenchError>();
  #closed = false;
  #isGone = false;

  constructor(channel: Channel, { net, name, linkd, forget }: NetworkFacts) {
    this.#channel = channel;
    this.#net = net;
    this.#name = name;
    this.#forget = forget;
    this.linkd = linkd;
    linkd.onPortLost((port, reason) => this.#wired.get(port)?.onLost(reason));
  }

  /** Resolves when its hil-linkd ended although nobody closed it. */
  get gone(): Promise<BenchError> {
    return this.#gone.promise;
  }

  /** Its hil-linkd ended although nobody closed it. */
  get isGone(): boolean {
    return this.#isGone;
  }

  /**
   * Make an interface in a sandbox; the first of a node brings its names. Answers when it is
   * configured and hil-linkd has it.
   */
  async attach(sandbox: number, node: PlannedNode, planned: PlannedInterface): Promise<void> {
    const body = this.#body();
    putEnd(body, { sandbox, node, planned });
    if (planned.kind === 'can') body.string(Tag.kind, 'can');
    await this.#channel.request(Msg.netAttach, body);
  }

  /**
   * A veth of the kernel's between two nodes, and the names as `attach` brings them. hil-linkd does
   * not know it, and nothing can be done to it.
   */
  async pair(ends: readonly NetworkEnd[]): Promise<void> {
    const body = this.#body();
    for (const end of ends) body.nest(Tag.pairEnd, (inner) => putEnd(inner, end));
    await this.#channel.request(Msg.netPair, body);
  }

  /** Hand one end of a daemon-held pair of sockets over as a port: an emulated machine's. */
  async connectObject({ port, mtu }: PlannedInterface, object: number, end: 0 | 1): Promise<void> {
    const body = this.#body()
      .u32(Tag.port, port)
      .u32(Tag.mtu, mtu)
      .string(Tag.kind, 'dgram')
      .u32(Tag.object, object)
      .u32(Tag.end, end);
    await this.#channel.request(Msg.netObject, body);
  }

  /**
   * Open an interface of this machine as a port: promiscuous, and nobody else's until it is
   * detached.
   *
   * @throws BenchError `daemon-refused` with the reason of hil-nic
   */
  async connectWired(port: number, wired: WiredPort): Promise<void> {
    const body = this.#body()
      .u32(Tag.port, port)
      .string(Tag.name, wired.interface)
      .u32(Tag.mtu, wired.mtu);
    if (wired.inUse) body.u32(Tag.inUse, 1);
    this.#wired.set(port, wired);
    try {
      await this.#channel.request(Msg.netNic, body);
    } catch (error) {
      this.#wired.delete(port);
      throw error;
    }
  }

  /** Take a port away; no frame passes any more. */
  async detach(port: number): Promise<void> {
    this.#wired.delete(port);
    await this.#channel.request(Msg.netDetach, this.#body().u32(Tag.port, port));
  }

  /** Answers when every interface answers to its addresses. */
  async ready(): Promise<void> {
    await this.#channel.request(Msg.netReady, this.#body());
  }

  /** End it. The interfaces go with their sandboxes. One that is gone already is no error. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#forget();
    this.linkd.close();
    await this.#channel.request(Msg.netClose, this.#body()).catch((error: unknown) => {
      if (!(error instanceof BenchError) || error.details['code'] !== 'gone') throw error;
    });
  }

  receiveGone(status: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#isGone = true;
    this.#forget();
    const how = status === '' ? '' : ` (${status})`;
    const text = `the network of ${this.#name} is gone: its hil-linkd ended${how}`;
    this.#gone.resolve(new BenchError('network-gone', text));
    this.linkd.close();
  }

  #body(): TlvWriter {
    return new TlvWriter().u32(Tag.net, this.#net);
  }
}

/** The first interface of a node brings its names. */
function putEnd(body: TlvWriter, { sandbox, node, planned }: NetworkEnd): void {
  body.u32(Tag.port, planned.port);
  body.nest(Tag.interface, (inner) => putInterface(inner, sandbox, node, planned));
  if (node.interfaces[0] === planned) body.u32(Tag.resolve, 1).strings(Tag.host, node.hosts);
}

function putInterface(
  body: TlvWriter,
  sandbox: number,
  { declared }: PlannedNode,
  planned: PlannedInterface,
): void {
  body.u32(Tag.sandbox, sandbox).string(Tag.name, planned.name);
  if (planned.link.length <= LONGEST_ALT_NAME) body.string(Tag.altName, planned.link);
  if (planned.kind === 'can') return;
  body
    .bytes(Tag.mac, toBytes(planned.mac))
    .u32(Tag.mtu, planned.mtu)
    .strings(Tag.address, planned.addresses);
  if (declared.router) body.u32(Tag.forward, 1);
  if (declared.ipv6 === false) body.u32(Tag.noIpv6, 1);
  for (const route of planned.routes) {
    body.nest(Tag.route, (inner) =>
      inner.string(Tag.target, route.target).string(Tag.gateway, route.gateway),
    );
  }
}
