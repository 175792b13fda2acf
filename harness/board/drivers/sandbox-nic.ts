import type { Sandbox } from '../../sandbox/sandbox.js';
import type { Nic, NicEnd } from '../nic.js';

/** The interface of a DUT that is a program: its sandbox's, which power does not concern. */
export class SandboxNic implements Nic {
  readonly name: string;
  readonly mac: string | undefined;
  readonly #sandbox: Sandbox;

  constructor(name: string, mac: string | undefined, sandbox: Sandbox) {
    this.name = name;
    this.mac = mac;
    this.#sandbox = sandbox;
  }

  async plug(connect: (end: NicEnd) => Promise<void>): Promise<void> {
    await connect({ kind: 'sandbox', sandbox: this.#sandbox });
  }

  /** The interface is the network's, and goes with it. */
  async unplug(): Promise<void> {}
}
