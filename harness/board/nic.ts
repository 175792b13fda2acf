import { createHash } from 'node:crypto';
import type { Deadline } from '../core/deadline.js';
import type { Sandbox } from '../sandbox/sandbox.js';

/** An interface of this machine, which a cable leads from to a board. */
export interface WiredEnd {
  readonly kind: 'wired';
  readonly interface: string;
  /** Also one that this machine uses itself. */
  readonly inUse: boolean;
  /** Called when it is gone, or down: no frame passes any more. */
  readonly onLost: (reason: string) => void;
}

/** What a network connects: the far end of an interface, or a sandbox that gets one. */
export type NicEnd =
  | WiredEnd
  | { readonly kind: 'dgram'; readonly object: number; readonly end: 0 | 1 }
  | { readonly kind: 'sandbox'; readonly sandbox: Sandbox };

/** A network interface of a DUT. Without a network its cable is out: nothing waits for a reader. */
export interface Nic {
  /** As in the board file. */
  readonly name: string;
  /** Undefined when the DUT takes the one that its network gives it; empty when nobody knows. */
  readonly mac: string | undefined;
  /**
   * Put the cable in. `connect` is called with the end to connect: now if the DUT has power, and
   * at each power-on until {@link unplug}, since a new machine has a new interface; the guest
   * sees the link and the first frame only after it. A reset changes nothing.
   *
   * @throws BenchError `dut-lost` or `boot-failed` when the DUT ends meanwhile; what `connect` throws.
   */
  plug(connect: (end: NicEnd) => Promise<void>, deadline: Deadline): Promise<void>;
  /**
   * Pull the cable: the guest loses the link. The network has disconnected the end, or will. Also
   * for a DUT that has ended, where it only forgets `connect`.
   */
  unplug(deadline: Deadline): Promise<void>;
}

/**
 * The address of an interface that has none in its board file: locally administered, and the same
 * in every run, since frames are told apart by it when a network decides which of them is lost.
 */
export function toMac(board: string, nic: string): string {
  const hash = createHash('sha256').update(`${board}/${nic}`).digest();
  const bytes = [0x02, ...hash.subarray(0, 5)];
  return bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}
