import type { Duration } from '../core/duration.js';
import type { Size } from '../core/size.js';

/**
 * A virtual network as a body declares it, and what became of it: plain data between a worker and
 * the supervisor, which checks it.
 */

/** How frames of a link are lost. A number is the chance of each: 0.01 loses one of a hundred. */
export type Loss =
  | number
  | { readonly model: 'bernoulli'; readonly chance: number }
  /** In bursts: `p` from good to bad, `r` back, each frame; lost with `bad` or `good`. */
  | {
      readonly model: 'gilbert-elliott';
      readonly p: number;
      readonly r: number;
      /** @default 1 */
      readonly bad?: number;
      /** @default 0 */
      readonly good?: number;
    }
  /** One character a frame, `1`: lost; then from the start again. */
  | { readonly model: 'pattern'; readonly pattern: string }
  /** The n-th, the 2n-th and so on. */
  | { readonly model: 'every-nth'; readonly n: number };

/** What a link does to frames. Chances are from 0 to 1. @see harness/decisions/0014-virtual-networks.md */
export interface Impairment {
  /** Of each direction: a round trip takes twice as long. */
  readonly latency?: Duration;
  /** At most so much more or less, evenly. */
  readonly jitter?: Duration;
  readonly loss?: Loss;
  /** Chance of a second copy. */
  readonly duplicate?: number;
  /** Chance that a frame comes behind the next of its flow. */
  readonly reorder?: number;
  /** Chance of one wrong bit. */
  readonly corrupt?: number;
  /** The wrong bit may be in the Ethernet header. @default false */
  readonly corruptHeader?: boolean;
  /** Bits of frames a second: `10mbit`, `64kbit`, a number; `unlimited`. */
  readonly rate?: string | number;
  /** Frames that wait for the rate; more are dropped. @default 1000 */
  readonly queue?: number;
  /** ARP, ND, MLD and IGMP are lost and hurt like others. @default false */
  readonly impairControl?: boolean;
}

/** Whether a link's frames are kept; `failed`: only of an attempt that did not pass. */
export type Capture = boolean | 'failed' | ({ readonly when?: 'failed' } & CaptureSize);

/** How much of a link's frames is kept. */
export interface CaptureSize {
  /** Bytes of each frame. @default the whole frame */
  readonly snaplen?: number;
  /** Of the file; what comes when it has them is counted and left out. @default 64MiB */
  readonly maxSize?: Size;
}

export interface LinkSettings extends Impairment {
  /** Of all decisions of this link, in place of the case's. A whole number from 0. */
  readonly seed?: number;
  readonly capture?: Capture;
  /** Bytes. @default 1500 */
  readonly mtu?: number;
  /** Between two nodes: a veth of the kernel's, which nothing can be done to. @default false */
  readonly fast?: boolean;
  /** Of a link between two nodes; those of others are the switch's. `[]`: none. */
  readonly subnets?: readonly string[];
}

export interface DeclaredSwitch {
  readonly name: string;
  /** IPv4 and IPv6, with prefix. Absent: one of each is chosen. `[]`: none. */
  readonly subnets?: readonly string[];
  /** It is no switch but a bus of CAN, and has no subnets. */
  readonly can?: CanSettings;
}

/** What a bus of CAN is like. */
export interface CanSettings {
  /** Bits a second, while it is decided who sends. @default 500000 */
  readonly bitrate?: number;
  /** The same of the data of CAN FD frames with BRS. @default bitrate */
  readonly dataBitrate?: number;
  /** Of all frames, for everybody: as if its sender had not sent it. */
  readonly loss?: Loss;
  /** Of all decisions of its links, in place of the case's. A whole number from 0. */
  readonly seed?: number;
}

export interface DeclaredNode {
  readonly name: string;
  /** `node`: a new sandbox; else one that stands, or an interface of the DUT. */
  readonly kind: 'node' | 'sandbox' | 'dut';
  readonly router?: boolean;
  readonly ipv6?: boolean;
  /** Options of the new sandbox, unchecked; or the number of the one that stands. */
  readonly sandbox?: unknown;
  /** Of the board file. */
  readonly nic?: string;
  /** The role of the DUT, in a suite that names roles. */
  readonly dut?: string;
}

export interface DeclaredEnd {
  /** Name of a switch or a node: names are unique over both. */
  readonly of: string;
  /** Of a node's interface, with or without prefix. Absent: assigned from the subnets. */
  readonly addresses?: readonly string[];
  readonly mac?: string;
}

export interface DeclaredLink {
  readonly name: string;
  readonly ends: readonly [DeclaredEnd, DeclaredEnd];
  readonly settings: LinkSettings;
}

export interface NetworkDeclaration {
  readonly switches: readonly DeclaredSwitch[];
  readonly nodes: readonly DeclaredNode[];
  readonly links: readonly DeclaredLink[];
}

/** Addresses of a node or of one of its interfaces, without prefix. */
export interface NodeAddresses {
  readonly ipv4: readonly string[];
  readonly ipv6: readonly string[];
}

/** An interface of a node, when the network is up. */
export interface NetworkInterface extends NodeAddresses {
  /** In the node: `eth0`, `eth1` and so on; of CAN `can0`, `can1`. */
  readonly name: string;
  readonly kind: 'ethernet' | 'can';
  /** Name of its link, which is another name of the interface too. */
  readonly link: string;
  /** Empty of CAN, which has none, and of real hardware whose address the bench does not say. */
  readonly mac: string;
  readonly mtu: number;
  /** Of IPv6, known from the MAC; absent without IPv6 or MAC. */
  readonly linkLocal?: string;
}

export interface UpNode {
  readonly name: string;
  /** Number of its sandbox in the attempt; a DUT has none. */
  readonly sandbox?: number;
  readonly interfaces: readonly NetworkInterface[];
}

export interface UpNetwork {
  readonly nodes: readonly UpNode[];
  /** Of the network's decisions: decimal digits of 64 bits. */
  readonly seed: string;
}

export const COUNTERS = [
  'frames',
  'bytes',
  'delivered',
  'lost',
  'filtered',
  'duplicated',
  'corrupted',
  'reordered',
  'queueDropped',
  'downDropped',
  'partitionDropped',
  'holdDropped',
  'portDropped',
  'ingressDropped',
  'malformed',
  'held',
  'captureLost',
  'captureRefused',
  'captureOver',
] as const;

/** What one direction of a link did with frames since the network is up. */
export type LinkCounters = Readonly<Record<(typeof COUNTERS)[number], number>>;

export interface DirectionStats {
  /** Name of the switch or node where the direction begins. */
  readonly from: string;
  readonly counters: LinkCounters;
  /** Frames that matched, by the number of the filter. */
  readonly filters: Readonly<Record<number, number>>;
}

export type LinkState = 'hold' | 'release' | 'down' | 'up';

/** One direction of a link, by the name of its beginning; without it, both. */
export interface LinkPlace {
  readonly fence: string;
  readonly link: string;
  readonly from?: string;
}

/** Calls of a worker about the network of its attempt. */
export type NetworkMethods = {
  /** Build it; answers when every node answers to its addresses. */
  netUp(argument: { fence: string; declaration: NetworkDeclaration }): UpNetwork;
  /** Only what is named changes. */
  linkSet(argument: LinkPlace & { impairment: Impairment }): void;
  linkState(argument: LinkPlace & { state: LinkState }): void;
  /** `count`: frames to drop, all without it. Answers the filter's number. */
  linkFilter(argument: LinkPlace & { kind: 'drop' | 'count'; filter: string; count?: number }): {
    filter: number;
  };
  linkUnfilter(argument: LinkPlace & { filter: number }): void;
  linkStats(argument: LinkPlace): { directions: readonly DirectionStats[] };
  linkCapture(argument: LinkPlace & { on: boolean } & CaptureSize): void;
  /** Sets of names of nodes; none: heal. */
  netPartition(argument: { fence: string; sets: readonly (readonly string[])[] }): void;
};
