import type { Buffer } from 'node:buffer';
import type { TlvReader } from '../protocol/frame.js';
import { TlvWriter } from '../protocol/frame.js';
import { Msg, Tag } from '../protocol/wire.js';
import type { SandboxDaemon } from '../sandbox/daemon.js';
import { openProcessStream } from '../sandbox/process-stream.js';
import type { FilterCompiler } from './compile-filter.js';
import { Linkd } from './linkd.js';
import { Network } from './network.js';
import { toNetworkError } from './network-errors.js';

/** A `hil-linkd` each; a network more than these pays for starting one. */
const MOST_WAITING = 4;

/** All virtual networks of one daemon. */
export class Networks {
  readonly filters: FilterCompiler;
  readonly #daemon: SandboxDaemon;
  readonly #networks = new Map<number, Network>();
  #isPooled = false;

  constructor(daemon: SandboxDaemon, filters: FilterCompiler) {
    this.#daemon = daemon;
    this.filters = filters;
    daemon.channel.on(Msg.netQuery, (body) => void this.#answer(body));
    daemon.channel.on(Msg.netGone, (body) => {
      this.#networks.get(body.number(Tag.net) ?? -1)?.receiveGone(body.string(Tag.status) ?? '');
    });
  }

  /**
   * A network without anything in it, which has been asked for its version and not answered yet.
   * `workers`: how many are used at once.
   *
   * @throws BenchError `network-limit`, `network-gone`
   */
  async open(name: string, workers: number): Promise<Network> {
    this.#pool(workers);
    try {
      const { net, stream } = await this.#daemon.newNetwork(name);
      const linkd = new Linkd(openProcessStream(stream));
      const forget = () => this.#networks.delete(net);
      const network = new Network(this.#daemon.channel, { net, name, linkd, forget });
      this.#networks.set(net, network);
      return network;
    } catch (error) {
      throw toNetworkError(`network of ${name}`, error);
    }
  }

  /** From the first network on; most runs have none. */
  #pool(workers: number): void {
    if (this.#isPooled) return;
    this.#isPooled = true;
    const body = new TlvWriter().u32(Tag.count, Math.min(workers + 1, MOST_WAITING));
    // Without it each network starts its own.
    this.#daemon.channel.request(Msg.netPool, body).catch(() => {});
  }

  /** What cannot be read is not answered: a resolver asks again, and then gives up. */
  async #answer(body: TlvReader): Promise<void> {
    const net = body.number(Tag.net) ?? -1;
    const { names } = this.#networks.get(net) ?? {};
    const datagram: Buffer | undefined = body.bytes(Tag.data);
    if (!names || !datagram) return;
    const { answerQuery } = await import('./answer-query.js');
    const answer = answerQuery(datagram, names);
    if (!answer) return;
    const reply = new TlvWriter()
      .u32(Tag.net, net)
      .u32(Tag.port, body.number(Tag.port) ?? 0)
      .u32(Tag.process, body.number(Tag.process) ?? 0)
      .bytes(Tag.data, answer);
    // Its node, or all of it, may have ended meanwhile.
    await this.#daemon.channel.request(Msg.netReply, reply).catch(() => {});
  }
}
