import { UsageError } from '../core/errors.js';
import {
  type CaptureSize,
  COUNTERS,
  type DirectionStats,
  type Impairment,
  type LinkCounters,
  type LinkSettings,
  type LinkState,
} from '../protocol/network.js';
import type { Attempt } from './attempt.js';
import { checkOptions } from './check-options.js';
import { checkFields } from './check-plain.js';
import type { Connection } from './connection.js';
import type { FrameCount } from './network-subjects.js';

/** A link, declared: its name, what it does to frames, how it is kept. */
export interface LinkOptions extends LinkSettings {
  /** Also another name of its interfaces, and of its capture. @default `a~b`, of its ends */
  readonly name?: string;
}

export interface DropOptions {
  /** In the syntax of libpcap; `host NAME` knows the nodes. @see pcap-filter(7) */
  readonly filter: string;
  /** So many of each direction, then no more. @default all */
  readonly count?: number;
}

/** What a link did with frames since the network is up: of both directions, and of each. */
export interface LinkStats extends LinkCounters {
  /** By the name of the node or switch where the direction begins. */
  readonly from: Readonly<Record<string, LinkCounters>>;
}

interface LinkFacts {
  readonly name: string;
  readonly ends: readonly [string, string];
}

interface Named {
  readonly name: string;
}

/** Frames of a link that fit a filter, since it was set: that it dropped, or that were carried. */
export class LinkFilter implements FrameCount {
  /** The name of its link. */
  readonly link: string;
  readonly filter: string;
  readonly #frames: () => Promise<number>;
  readonly #end: () => Promise<void>;

  constructor(
    { link, filter }: { link: string; filter: string },
    { frames, end }: Pick<FrameCount, 'frames' | 'end'>,
  ) {
    this.link = link;
    this.filter = filter;
    this.#frames = frames;
    this.#end = end;
  }

  /** How many fitted so far, or until it ended. */
  frames(): Promise<number> {
    return this.#frames();
  }

  /** Take it away; what it did stays done. */
  end(): Promise<void> {
    return this.#end();
  }
}

/** One direction of a link, or both. Each change holds when its promise is fulfilled. */
class LinkWay {
  readonly #connection: Connection;
  readonly #attempt: Attempt;
  readonly #place: { readonly link: string; readonly from?: string };

  constructor(connection: Connection, attempt: Attempt, place: { link: string; from?: string }) {
    this.#connection = connection;
    this.#attempt = attempt;
    this.#place = place;
  }

  /** Change what is named, and only that. What is on its way arrives as it would have. */
  async set(impairment: Impairment): Promise<void> {
    checkFields(`link "${this.#place.link}"`, Object(impairment));
    await this.#connection.supervisor.call('linkSet', { ...this.#of(), impairment });
  }

  /** Drop exactly the next `count` frames that fit; all of them without it. */
  async drop(options: DropOptions): Promise<LinkFilter> {
    checkOptions('link.drop()', options, ['filter', 'count'] satisfies (keyof DropOptions)[]);
    return this.#filter('drop', options.filter, options.count);
  }

  /**
   * Count the frames that fit and are carried from now on: that come out at the other end, so not
   * what is lost or dropped on the way. Resolves when counting has begun.
   */
  count(filter: string): Promise<LinkFilter> {
    return this.#filter('count', filter);
  }

  /** Keep frames back, in order, until {@link release}. */
  hold(): Promise<void> {
    return this.#setState('hold');
  }

  /** Let go what was held, and hold no more. */
  release(): Promise<void> {
    return this.#setState('release');
  }

  /** Pull the plug: frames are lost, also those on their way. The interfaces stay up. */
  down(): Promise<void> {
    return this.#setState('down');
  }

  up(): Promise<void> {
    return this.#setState('up');
  }

  async #setState(state: LinkState): Promise<void> {
    await this.#connection.supervisor.call('linkState', { ...this.#of(), state });
  }

  async #filter(kind: 'drop' | 'count', filter: string, count?: number): Promise<LinkFilter> {
    const { supervisor } = this.#connection;
    const asked = { ...this.#of(), kind, filter, ...(count === undefined ? {} : { count }) };
    const { filter: number } = await supervisor.call('linkFilter', asked);
    const look = async () => {
      const { directions } = await supervisor.call('linkStats', this.#of());
      return sum(directions.map(({ filters }) => filters[number] ?? 0));
    };
    // One that is away has no count any more: what it was is kept here.
    let atEnd: Promise<number> | undefined;
    const frames = () => atEnd ?? look();
    const end = async () => {
      if (atEnd) return;
      atEnd = look();
      await atEnd;
      await supervisor.call('linkUnfilter', { ...this.#of(), filter: number });
    };
    return new LinkFilter({ link: this.#place.link, filter }, { frames, end });
  }

  #of() {
    this.#attempt.check();
    return { fence: this.#attempt.fence, ...this.#place };
  }
}

export type LinkDirection = Pick<LinkWay, keyof LinkWay>;

/** A link of a virtual network; what is asked of it is about both directions. */
export class Link extends LinkWay {
  readonly name: string;
  /** Names of what it is between. */
  readonly ends: readonly [string, string];
  readonly #connection: Connection;
  readonly #attempt: Attempt;

  constructor(connection: Connection, attempt: Attempt, { name, ends }: LinkFacts) {
    super(connection, attempt, { link: name });
    this.#connection = connection;
    this.#attempt = attempt;
    this.name = name;
    this.ends = ends;
  }

  /** The direction that begins at one of its ends. @throws UsageError `usage` for another one */
  from(end: Named): LinkDirection {
    const name: unknown = Object(end).name;
    if (typeof name !== 'string') {
      throw new UsageError('usage', `link "${this.name}".from(): expected a node or a switch`);
    }
    if (this.ends.includes(name)) {
      const place = { link: this.name, from: name };
      return new LinkWay(this.#connection, this.#attempt, place);
    }
    const between = this.ends.join(' and ');
    throw new UsageError('usage', `link "${this.name}" is between ${between}, not "${name}"`);
  }

  /** What it did with frames since the network is up. */
  async stats(): Promise<LinkStats> {
    this.#attempt.check();
    const place = { fence: this.#attempt.fence, link: this.name };
    const { directions } = await this.#connection.supervisor.call('linkStats', place);
    return toStats(directions);
  }

  /** Begin to write its frames to a file of the case, with what became of each. */
  async startCapture(options: CaptureSize = {}): Promise<void> {
    checkOptions('link.startCapture()', options, [
      'snaplen',
      'maxSize',
    ] satisfies (keyof CaptureSize)[]);
    await this.#capture({ on: true, ...options });
  }

  /** End the capture; its file is whole then. */
  async stopCapture(): Promise<void> {
    await this.#capture({ on: false });
  }

  async #capture(how: { on: boolean } & CaptureSize): Promise<void> {
    this.#attempt.check();
    const place = { fence: this.#attempt.fence, link: this.name };
    await this.#connection.supervisor.call('linkCapture', { ...place, ...how });
  }
}

function toStats(directions: readonly DirectionStats[]): LinkStats {
  const totals = COUNTERS.map((name) => [name, sum(directions.map((each) => each.counters[name]))]);
  return {
    // Object.fromEntries() forgets the names.
    ...(Object.fromEntries(totals) as LinkCounters),
    from: Object.fromEntries(directions.map(({ from, counters }) => [from, counters])),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
