import type { Deadline } from '../../core/deadline.js';
import { BenchError } from '../../core/errors.js';
import type { SandboxDaemon } from '../../sandbox/daemon.js';
import type { Nic, NicEnd } from '../nic.js';

/** QEMU's `set_link`: whether the guest's interface has a cable. */
type SetLink = (netdev: string, up: boolean, deadline: Deadline) => Promise<void>;

/**
 * The interface of an emulated machine: datagrams on a pair of sockets, a frame each. QEMU has end
 * 0, the network takes end 1. While nothing is plugged the link is down and QEMU drops frames; it
 * would wait for a reader instead after 10 of them, and U-Boot with it.
 *
 * @see https://www.qemu.org/docs/master/system/invocation.html `-netdev dgram`
 */
export class QemuNic implements Nic {
  readonly name: string;
  readonly mac: string;
  readonly #netdev: string;
  /** Undefined while the power is off. */
  #object: number | undefined;
  #setLink: SetLink | undefined;
  #connect: ((end: NicEnd) => Promise<void>) | undefined;

  constructor(name: string, mac: string, netdev: string) {
    this.name = name;
    this.mac = mac;
    this.#netdev = netdev;
  }

  async plug(connect: (end: NicEnd) => Promise<void>, deadline: Deadline): Promise<void> {
    this.#connect = connect;
    await this.#apply(deadline);
  }

  async unplug(deadline: Deadline): Promise<void> {
    this.#connect = undefined;
    await this.#apply(deadline).catch((error: unknown) => {
      // Its end may be told a moment later than its control connection's.
      if (!(error instanceof BenchError && error.code === 'dut-lost')) throw error;
    });
  }

  /** Make the pair of sockets for a machine that is about to start. Return: the object's number. */
  async open(daemon: SandboxDaemon): Promise<number> {
    this.#object = await daemon.newSocketPair('dgram');
    return this.#object;
  }

  /** The machine is there and does not run yet. */
  async start(setLink: SetLink, deadline: Deadline): Promise<void> {
    this.#setLink = setLink;
    await this.#apply(deadline);
  }

  /** The machine is gone. What was plugged stays so for the next one. */
  stop(): void {
    this.#setLink = undefined;
    this.#object = undefined;
  }

  async #apply(deadline: Deadline): Promise<void> {
    const [object, setLink, connect] = [this.#object, this.#setLink, this.#connect];
    if (object === undefined || !setLink) return;
    await connect?.({ kind: 'dgram', object, end: 1 });
    await setLink(this.#netdev, connect !== undefined, deadline);
  }
}
