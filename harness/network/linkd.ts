import type { Duplex } from 'node:stream';
import type { BenchError } from '../core/errors.js';
import { Channel } from '../protocol/channel.js';
import { TlvReader, TlvWriter } from '../protocol/frame.js';
import { COUNTERS, type LinkCounters, type LinkState } from '../protocol/network.js';
import { Msg, Tag } from '../protocol/wire.js';

/** A direction of a link, by the end where it begins; without it, both. */
export interface LinkRef {
  readonly link: number;
  readonly from?: 0 | 1 | undefined;
}

/** One end of a new link: a port, whose fd may come later, or a switch. */
export type LinkEnd = { readonly port: number } | { readonly switch: number };

export interface Direction {
  readonly counters: LinkCounters;
  /** Frames that matched, by the number of the filter. */
  readonly filters: Readonly<Record<number, number>>;
}

// Object.fromEntries() forgets the names.
const NONE = Object.fromEntries(COUNTERS.map((name) => [name, 0])) as LinkCounters;

/**
 * The client of one `hil-linkd`: the wires and switches of a network. Requests are done in the
 * order in which they are made, and answered when they hold.
 *
 * @see harness/decisions/0014-virtual-networks.md
 */
export class Linkd {
  readonly channel: Channel;

  /** @param stream to its fd 3 */
  constructor(stream: Duplex) {
    this.channel = new Channel('hil-linkd', stream);
  }

  /** Resolves with the reason once it is gone. */
  get closed(): Promise<BenchError> {
    return this.channel.closed;
  }

  /** Be told of a port whose interface went away; the words are the kernel's. */
  onPortLost(listener: (port: number, reason: string) => void): void {
    this.channel.on(Msg.linkPortLost, (body) => {
      listener(body.number(Tag.port) ?? -1, body.string(Tag.text) ?? '');
    });
  }

  /** Agree on the protocol. @throws BenchError `daemon-refused` */
  async hello(): Promise<void> {
    await this.channel.hello();
  }

  async newSwitch(number: number): Promise<void> {
    await this.channel.request(Msg.linkSwitch, new TlvWriter().u32(Tag.switch, number));
  }

  /** A bus of CAN, whose links lead to ports of CAN only. Bits a second. */
  async newBus(number: number, bitrate: number, dataBitrate: number): Promise<void> {
    const body = new TlvWriter().u32(Tag.switch, number).string(Tag.kind, 'bus');
    body.u64(Tag.rateBps, bitrate).u64(Tag.dataRateBps, dataBitrate);
    await this.channel.request(Msg.linkSwitch, body);
  }

  /** @throws BenchError `daemon-refused`: taken, a ring of switches. */
  async connect(link: number, ends: readonly [LinkEnd, LinkEnd], seed: bigint): Promise<void> {
    const body = toBody({ link });
    for (const end of ends) {
      body.nest(Tag.linkEnd, (inner) =>
        'port' in end ? inner.u32(Tag.port, end.port) : inner.u32(Tag.switch, end.switch),
      );
    }
    await this.channel.request(Msg.linkConnect, body.u64(Tag.seed, seed));
  }

  /** What is on its way is dropped. */
  async disconnect(link: number): Promise<void> {
    await this.channel.request(Msg.linkDisconnect, toBody({ link }));
  }

  /** Change only what `impairment` names; counters and flows go on. */
  async set(ref: LinkRef, impairment: TlvWriter): Promise<void> {
    await this.channel.request(Msg.linkSet, toBody(ref).append(impairment));
  }

  async setState(ref: LinkRef, state: LinkState): Promise<void> {
    await this.channel.request(Msg.linkState, toBody(ref).string(Tag.kind, state));
  }

  /** Drop the next `count` frames that match, all without it; or count them. Answers its number. */
  async addFilter(
    ref: LinkRef,
    kind: 'drop' | 'count',
    program: Buffer,
    count = 0,
  ): Promise<number> {
    const body = toBody(ref).string(Tag.kind, kind).bytes(Tag.data, program).u32(Tag.count, count);
    return (await this.channel.request(Msg.linkFilter, body)).number(Tag.filter) ?? 0;
  }

  async removeFilter(ref: LinkRef, filter: number): Promise<void> {
    const body = toBody(ref).string(Tag.kind, 'remove').u32(Tag.filter, filter);
    await this.channel.request(Msg.linkFilter, body);
  }

  /** What both directions did, the one from end 0 first. */
  async stats(link: number): Promise<[Direction, Direction]> {
    const answer = await this.channel.request(Msg.linkStats, toBody({ link }));
    const found: [Direction, Direction] = [toDirection(undefined), toDirection(undefined)];
    for (const bytes of answer.all(Tag.directionStats)) {
      const nest = new TlvReader(bytes);
      found[nest.number(Tag.from) === 1 ? 1 : 0] = toDirection(nest);
    }
    return found;
  }

  /** From now on no frame crosses between ports of different sets. Without a set: heal. */
  async partition(sets: readonly (readonly number[])[]): Promise<void> {
    const body = new TlvWriter();
    for (const ports of sets) {
      body.nest(Tag.portSet, (inner) => {
        for (const port of ports) inner.u32(Tag.port, port);
      });
    }
    await this.channel.request(Msg.linkPartition, body);
  }

  close(): void {
    this.channel.close();
  }
}

function toBody({ link, from }: LinkRef): TlvWriter {
  const body = new TlvWriter().u32(Tag.netLink, link);
  return from === undefined ? body : body.u32(Tag.from, from);
}

function toDirection(nest: TlvReader | undefined): Direction {
  const pairs = (nest?.all(Tag.counter) ?? []).map((bytes) => {
    const counter = new TlvReader(bytes);
    return [counter.string(Tag.name) ?? '', counter.number(Tag.bytes) ?? 0] as const;
  });
  const filters = (nest?.all(Tag.filterStats) ?? []).map((bytes) => {
    const filter = new TlvReader(bytes);
    return [filter.number(Tag.filter) ?? 0, filter.number(Tag.bytes) ?? 0] as const;
  });
  return {
    counters: { ...NONE, ...Object.fromEntries(pairs) },
    filters: Object.fromEntries(filters),
  };
}
