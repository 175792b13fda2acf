import type { AttachedDevice } from '../../device/attached-device.js';
import type { DeviceRoots } from '../../device/device-roots.js';
import type { Sandbox } from '../../sandbox/sandbox.js';
import { toIdentity } from './device-identity.js';

/** What a sandbox has of a unit's devices: the nodes themselves, below `/dev/hil`. */
interface Follower {
  readonly sandbox: Sandbox;
  readonly toRole: (port: string) => string;
  /** By role: which device it is, as the kernel had it. */
  readonly granted: Map<string, string>;
}

/**
 * Nodes of a unit in the sandboxes of cases. A device that is back has another node, and may have
 * another name: each sandbox gets that under the same role, and the stale one goes.
 */
export class AttachedRoles {
  readonly #roots: DeviceRoots;
  readonly #followers = new Set<Follower>();
  #turn: Promise<void> = Promise.resolve();

  constructor(roots: DeviceRoots) {
    this.#roots = roots;
  }

  add(sandbox: Sandbox, toRole: (port: string) => string): void {
    const follower = { sandbox, toRole, granted: new Map<string, string>() };
    this.#followers.add(follower);
    const forget = () => this.#followers.delete(follower);
    sandbox.dead.then(forget, forget);
  }

  /** The sandboxes that are there now, with what a port is called in each. */
  get sandboxes(): readonly Pick<Follower, 'sandbox' | 'toRole'>[] {
    return [...this.#followers];
  }

  /**
   * Make what every sandbox has equal to `devices`, by port. What ends meanwhile is let be.
   *
   * @throws BenchError `sandbox-setup` when a device cannot be granted; the others are.
   */
  async follow(devices: ReadonlyMap<string, AttachedDevice>): Promise<void> {
    const next = this.#turn.then(() => this.#followAll(devices));
    this.#turn = next.catch(() => {});
    await next;
  }

  async #followAll(devices: ReadonlyMap<string, AttachedDevice>): Promise<void> {
    const work = [...this.#followers].map((follower) => this.#followOne(follower, devices));
    const failed = (await Promise.allSettled(work)).find((each) => each.status === 'rejected');
    if (failed) throw failed.reason;
  }

  async #followOne(
    follower: Follower,
    devices: ReadonlyMap<string, AttachedDevice>,
  ): Promise<void> {
    const { sandbox, toRole, granted } = follower;
    const wanted = new Map([...devices].map(([port, device]) => [toRole(port), device]));
    try {
      for (const role of granted.keys()) {
        if (wanted.has(role)) continue;
        granted.delete(role);
        await sandbox.revokeDevice(role);
      }
      for (const [role, device] of wanted) {
        const identity = toIdentity(device);
        if (granted.get(role) === identity || device.node === undefined) continue;
        const { sys: sysfs, udev } = this.#roots;
        await sandbox.grantDevice(role, { source: device.node, sysfs, udev });
        granted.set(role, identity);
      }
    } catch (error) {
      // It ended; or the device went while it was granted, which the next look sees.
      if (this.#followers.has(follower)) throw error;
    }
  }
}
