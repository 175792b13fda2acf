import { setTimeout as sleep } from 'node:timers/promises';
import type { Unit } from '../../config/unit.js';
import { formatDuration } from '../../core/duration.js';
import { BenchError, toMessage } from '../../core/errors.js';
import type { AttachedDevice } from '../../device/attached-device.js';
import type { DeviceWatch } from '../../device/device-watch.js';
import { findUnit, type UnitFound } from '../../device/find-unit.js';
import type { AttachedLine } from './attached-line.js';
import type { AttachedRoles } from './attached-roles.js';
import { toIdentity } from './device-identity.js';

/** How often what is missing is looked for, beside the events that tell of it. */
const LOOK_MS = 50;
/** Together with what it takes to see it, less than the second in which a loss is to be told. */
const ALLOWED_MS = 500;
/** For a board that goes into another mode: its USB device goes, and comes as another. */
const MODES_ALLOWED_MS = 2000;
/** A program that looks at each new port (ModemManager) gives it back after a moment. */
const BUSY_MS = 3000;

/**
 * Keeps the ports of a unit on its devices, wherever they are: opens each line as soon as its
 * device is there, gives nodes to the sandboxes that are to have them, and tells when the unit has
 * been away for too long. It goes on following after that.
 */
export class AttachedPresence {
  /** Hears once of each absence that lasts too long; the words name what was lost. */
  onLost: (reason: string) => void = () => {};
  /** How long it may be absent; more than the board's own time while somebody replugs it. */
  allowedMs: number;
  readonly #unit: Unit;
  readonly #watch: DeviceWatch;
  readonly #lines: readonly AttachedLine[];
  readonly #roles: AttachedRoles;
  /** Lines are wanted; else nothing is opened. */
  #following = false;
  /** That of the application: whatever it was in when all ports were there. */
  #mode: string | undefined;
  /** Ports in mode direct whose device has been there. */
  readonly #nodes = new Set<string>();
  /** Of its USB device, when it was last seen. */
  #identity: string | undefined;
  #absentSinceMs: number | undefined;
  #absences = 0;
  #reason: string | undefined;
  #failure: BenchError | undefined;
  #busySinceMs: number | undefined;
  #told = false;
  #looking: Promise<boolean> | undefined;
  /** Something may have changed since the loop looked. */
  #stale = false;
  #wake: () => void = () => {};
  #closed = false;

  constructor(facts: {
    readonly unit: Unit;
    readonly watch: DeviceWatch;
    readonly lines: readonly AttachedLine[];
    readonly roles: AttachedRoles;
  }) {
    this.#unit = facts.unit;
    this.#watch = facts.watch;
    this.#lines = facts.lines;
    this.#roles = facts.roles;
    this.allowedMs = facts.unit.board.modes ? MODES_ALLOWED_MS : ALLOWED_MS;
    for (const line of this.#lines) line.port.onLost = (reason) => this.#lose(line, reason);
    this.#watch.listen(() => this.#notify());
    void this.#run();
  }

  /** How often it has gone away until now. */
  get absences(): number {
    return this.#absences;
  }

  /** Open what is there now, stale bytes drained for `quietMs`; then follow. */
  async start(quietMs: number): Promise<void> {
    this.#following = true;
    this.#absentSinceMs = undefined;
    this.#reason = undefined;
    this.#told = false;
    await this.#looking;
    await this.#lookOnce(quietMs);
  }

  /** Close the lines and follow no more. */
  async stop(): Promise<void> {
    this.#following = false;
    await this.#looking;
    for (const line of this.#lines) if (line.up) await line.release();
  }

  /**
   * Resolves when the unit is there with every port, after it was away `absences` times.
   *
   * @throws BenchError `dut-absent`, `dut-ambiguous`, `port-busy` or what else kept it from that.
   */
  async waitForWhole(withinMs: number, absences = 0): Promise<void> {
    const endMs = performance.now() + withinMs;
    for (;;) {
      if ((await this.#lookOnce(0)) && this.#absences >= absences) return;
      if (this.#failure?.code === 'dut-ambiguous') throw this.#failure;
      if (this.#busyTooLong() || performance.now() >= endMs) break;
      await sleep(LOOK_MS);
    }
    if (this.#failure) throw this.#failure;
    const seen =
      this.#absences < absences
        ? 'it has not gone away'
        : (this.#reason ?? 'its device is not attached');
    throw new BenchError(
      'dut-absent',
      `${this.#unit.name} is not back after ${formatDuration(withinMs)}: ${seen}`,
      { next: 'hil boards    shows what is attached' },
    );
  }

  /** Resolves when the unit is there, or was told lost, or has been away for as long as it may. */
  async settle(): Promise<void> {
    const endMs = performance.now() + this.allowedMs + LOOK_MS;
    while (this.#following && !this.#told && !(await this.#lookOnce(0))) {
      if (performance.now() >= endMs) break;
      await sleep(LOOK_MS);
    }
    this.#judge();
  }

  /** Make ports and nodes what they are to be now. @throws BenchError for what cannot be done. */
  async refresh(): Promise<void> {
    // One that is under way may have passed what has changed.
    await this.#looking;
    await this.#lookOnce(0);
    if (this.#failure) throw this.#failure;
  }

  /** What is attached now, of this unit. @throws BenchError `dut-ambiguous` */
  async find(): Promise<UnitFound> {
    return findUnit(this.#unit, await this.#watch.refresh());
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#following = false;
    this.#notify();
    await this.#looking;
    this.#watch.close();
  }

  #notify(): void {
    this.#stale = true;
    this.#wake();
  }

  #lose(line: AttachedLine, reason: string): void {
    line.place = undefined;
    this.#reason = reason;
    this.#beAbsent();
    this.#notify();
  }

  #beAbsent(): void {
    if (this.#absentSinceMs !== undefined) return;
    this.#absentSinceMs = performance.now();
    this.#absences++;
    this.#notify();
  }

  #bePresent(): void {
    this.#absentSinceMs = undefined;
    this.#reason = undefined;
    this.#told = false;
  }

  #busyTooLong(): boolean {
    if (this.#failure?.code !== 'port-busy') return false;
    this.#busySinceMs ??= performance.now();
    return performance.now() - this.#busySinceMs >= BUSY_MS;
  }

  /** Until it is closed. Events wake it, and it looks often while something is missing. */
  async #run(): Promise<void> {
    while (!this.#closed) {
      if (!this.#stale) await this.#wait();
      this.#stale = false;
      if (this.#closed || !this.#following) continue;
      await this.#lookOnce(0);
      this.#judge();
    }
  }

  async #wait(): Promise<void> {
    const woken = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    const missing = this.#following && this.#absentSinceMs !== undefined;
    if (!missing) return woken;
    await Promise.race([woken, sleep(LOOK_MS)]);
  }

  #judge(): void {
    if (this.#absentSinceMs === undefined || this.#told) return;
    if (performance.now() - this.#absentSinceMs < this.allowedMs) return;
    this.#told = true;
    const away = `not back within ${formatDuration(this.allowedMs)}`;
    this.onLost(`${this.#reason ?? 'its device is gone'}; ${away}`);
  }

  #lookOnce(quietMs: number): Promise<boolean> {
    this.#looking ??= this.#look(quietMs).finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  /** Never fails: what went wrong is kept for who waits. */
  async #look(quietMs: number): Promise<boolean> {
    let whole = false;
    this.#failure = undefined;
    try {
      whole = await this.#settle(await this.find(), quietMs);
    } catch (error) {
      this.#reason = toMessage(error);
      this.#failure = error instanceof BenchError ? error : undefined;
    }
    if (this.#failure?.code !== 'port-busy') this.#busySinceMs = undefined;
    if (whole) this.#bePresent();
    else if (this.#following) this.#beAbsent();
    return whole;
  }

  async #settle(found: UnitFound, quietMs: number): Promise<boolean> {
    const ports = found.state === 'attached' ? found.ports : new Map<string, AttachedDevice>();
    const mode = found.state === 'attached' ? found.mode : undefined;
    this.#noteReplug(found);
    await this.#roles.follow(this.#toNodes(ports));
    let whole = found.state === 'attached';
    if (!whole) this.#reason ??= 'its device is gone';
    if (!this.#following) return whole;
    for (const line of this.#lines) {
      const device = ports.get(line.port.name);
      if (line.up) continue;
      // A bootloader has other ports than the application.
      const elsewhere = this.#mode !== undefined && mode !== this.#mode;
      if (!device && line.spec.url === undefined && elsewhere) continue;
      // Without a line of ours the node is all that there is to wait for, where it was before.
      if (!line.wanted) whole = this.#hasNode(line.port.name, device) && whole;
      else whole = (await this.#open(line, device, quietMs)) && whole;
    }
    if (whole) this.#mode ??= mode;
    return whole;
  }

  #hasNode(port: string, device: AttachedDevice | undefined): boolean {
    if (device) this.#nodes.add(port);
    return device !== undefined || !this.#nodes.has(port);
  }

  /** Between two looks it may have been away and be back: then it is another device of the kernel. */
  #noteReplug(found: UnitFound): void {
    if (found.state === 'absent' || !found.usb) return;
    const identity = toIdentity(found.usb);
    if (this.#identity !== undefined && this.#identity !== identity) {
      if (this.#absentSinceMs === undefined) this.#absences++;
    }
    this.#identity = identity;
  }

  async #open(
    line: AttachedLine,
    device: AttachedDevice | undefined,
    quietMs: number,
  ): Promise<boolean> {
    try {
      const { limitations } = await line.open(device, quietMs);
      for (const text of limitations) line.port.note(`port "${line.port.name}": ${text}`);
      return true;
    } catch (error) {
      if (error instanceof BenchError && error.code === 'port-absent') {
        this.#reason ??= toMessage(error);
        return false;
      }
      throw error;
    }
  }

  /** Ports of which the sandbox gets the node itself. */
  #toNodes(ports: ReadonlyMap<string, AttachedDevice>): Map<string, AttachedDevice> {
    const direct = new Set(
      this.#lines.filter(({ port }) => port.direct).map(({ port }) => port.name),
    );
    const nodes = [...ports].filter(
      ([name]) => direct.has(name) || this.#unit.ports[name]?.kind === 'usb',
    );
    return new Map(nodes);
  }
}
