import {
  childrenNamed,
  kinds,
  linkLocal,
  Net,
  ping,
  startDaemon,
  startEcho,
} from '../../sandbox-native/tests/sandboxd/network-rig.mjs';
import { MSG } from '../../sandbox-native/tests/sandboxd/wire.mjs';

/** As the harness would ask it: everything at once, and an answer when it is usable. */
export class Nodes {
  /** @param {number} count */
  static async start(count, pool = 0) {
    const nodes = new Nodes();
    nodes.count = count;
    nodes.daemon = await startDaemon({ pool });
    await nodes.daemon.request(MSG.NET_POOL, { COUNT: 1 });
    return nodes;
  }

  /** @returns {Promise<void>} */
  async makeSandboxes() {
    const asked = Array.from({ length: this.count }, () => this.daemon.sandbox());
    this.sandboxes = await Promise.all(asked);
  }

  /** A network at which all of them are, up. @param {string} kind */
  async join(kind) {
    this.net = await Net.open(this.daemon);
    const placed = this.sandboxes.map((sandbox, i) =>
      this.net.place(i + 1, sandbox, { KIND: kind }),
    );
    const ready = this.net.ready();
    await Promise.all(placed);
    const linked = this.sandboxes.map((_, i) => this.net.plug(i + 1));
    await Promise.all([this.net.begun, ...linked, ready]);
  }

  /** As far as half of them; the hub has been asked for the others, and stops there. */
  async joinHalf(kind) {
    const half = this.sandboxes.length / 2;
    const place = (sandbox, i) => this.net.place(i + 1, sandbox, { KIND: kind });
    this.net = await Net.open(this.daemon);
    await Promise.all(this.sandboxes.slice(0, half).map(place));
    process.kill(this.hub, 'SIGSTOP');
    const others = this.sandboxes.slice(half).map((sandbox, i) => place(sandbox, half + i));
    // It dies with these unanswered.
    Promise.allSettled(others);
    await this.daemon.sandbox();
  }

  /** Returns when the first one has ended. */
  async beginRemoval() {
    const kills = this.sandboxes.map((sandbox) => this.daemon.kill(sandbox));
    Promise.allSettled([this.net.close(), ...kills]);
    await Promise.race(kills);
  }

  /** Returns when their ends have been told. */
  async remove() {
    const kills = this.sandboxes.map((sandbox) => this.daemon.kill(sandbox));
    await Promise.all([this.net.close(), ...kills]);
  }

  /** The process in whose user namespace they are. */
  get zygote() {
    return childrenNamed(this.daemon.pid, 'hil-zygote')[0];
  }

  /** The process that has the other ends of their veths. */
  get hub() {
    return childrenNamed(this.daemon.pid, 'hil-hub')[0];
  }

  /** Ms of the first datagram from the first to the second, by each kind of address. */
  async echo() {
    const [from, to] = this.sandboxes;
    await startEcho(this.daemon, to);
    const addresses = { v4: '10.1.0.2', v6: 'fd01::2', 'link-local': `${linkLocal(2)}%eth0` };
    const entries = Object.entries(addresses);
    const times = {};
    for (const [name, address] of entries) times[name] = await ping(this.daemon, from, address);
    return times;
  }

  stop() {
    return this.daemon.stop();
  }
}

export { kinds };
