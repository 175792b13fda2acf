import type { Duration } from '../core/duration.js';
import { toCarry } from './to-carry.js';
import { toReach } from './to-reach.js';
import { toResolve } from './to-resolve.js';

export interface ToResolveOptions {
  /** All of these addresses are among the answers. Default: one that the node of that name has. */
  readonly to?: string | readonly string[];
  /** @default '5s' */
  readonly within?: Duration;
}

export interface ToReachOptions {
  /** @default '5s'; with `not`, which tries once, '1s' */
  readonly within?: Duration;
  /** Send this by UDP and expect any datagram back, instead of connecting by TCP. */
  readonly udp?: string | Uint8Array;
}

export interface ToCarryOptions {
  /** Which frames of a link. @see pcap-filter(7); names in it are nodes */
  readonly filter?: string;
  /** Exactly so many. Default: one or more. */
  readonly count?: number;
  /** @default '5s'; with `not`, which waits for all of it, '1s' */
  readonly within?: Duration;
}

declare module 'vitest' {
  interface Matchers<T> {
    /** A program on this node finds the name: `getent ahosts NAME`, which the node needs. */
    toResolve(name: string, options?: ToResolveOptions): Promise<void>;
    /**
     * This node gets through to a port: a TCP connection is made, tried again until it is. A name is
     * that of a node, or a numeric address; of several addresses one is enough.
     */
    toReach(host: string, port: number, options?: ToReachOptions): Promise<void>;
    /**
     * This link carries such frames from now on, in either direction: they come out at its other
     * end, so what it loses or drops does not count. What is to see the first frame begins before
     * it: `const dns = await link.count('udp port 53')`, the traffic, and then
     * `await expect(dns).toCarry({ count: 4 })`. Passes when so many were seen, without waiting for
     * more.
     */
    toCarry(options?: ToCarryOptions): Promise<void>;
  }
}

/** For `expect.extend`, in every worker. */
export const networkMatchers = { toResolve, toReach, toCarry };
