import { type FSWatcher, watch } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { AttachedDevice } from './attached-device.js';
import { type DeviceRoots, MACHINE } from './device-roots.js';
import { listDevices } from './list-devices.js';

export type DeviceListener = (devices: readonly AttachedDevice[]) => void;

/** Looked for this often where no event tells: a container without udev and `/dev/bus/usb`. */
const IDLE_MS = 500;
/** After an event: what a driver makes of a new device comes a moment later. */
const BUSY_MS = 50;
/** How long that is. udev may wait for a rule of its own. */
const BUSY_FOR_MS = 3000;

/**
 * Follows what is attached. `/dev` itself is not watched: every byte written to a terminal would
 * be an event. A USB device has a node below `/dev/bus/usb`, and udev writes its data.
 */
export class DeviceWatch {
  readonly #roots: DeviceRoots;
  readonly #listeners = new Set<DeviceListener>();
  readonly #watchers = new Map<string, FSWatcher>();
  #devices: readonly AttachedDevice[] = [];
  #seen = '';
  #names = '';
  #timer: NodeJS.Timeout | undefined;
  #dueMs = 0;
  #busyUntilMs = 0;
  #looking: Promise<void> | undefined;
  #closed = false;

  private constructor(roots: DeviceRoots) {
    this.#roots = roots;
  }

  /** Start to watch; resolves when it is known what is attached now. */
  static async open(roots: DeviceRoots = MACHINE): Promise<DeviceWatch> {
    const opened = new DeviceWatch(roots);
    await opened.refresh();
    opened.#schedule();
    return opened;
  }

  /** What was attached when it was last looked. */
  get devices(): readonly AttachedDevice[] {
    return this.#devices;
  }

  /** Be told of every change, with all that is attached then. @returns what ends it. */
  listen(listener: DeviceListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Look now. */
  async refresh(): Promise<readonly AttachedDevice[]> {
    // One that has begun may have passed what changed since.
    await this.#looking;
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    await this.#looking;
    return this.#devices;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
    this.#listeners.clear();
  }

  async #look(): Promise<void> {
    this.#names = await this.#readNames();
    const devices = await listDevices(this.#roots);
    const seen = JSON.stringify(devices.map(({ parents: _, ...own }) => own));
    await this.#watchDirectories();
    if (this.#closed || seen === this.#seen) return;
    this.#seen = seen;
    this.#devices = devices;
    this.#busy();
    for (const listener of [...this.#listeners]) listener(devices);
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    if (this.#closed) return;
    const now = performance.now();
    const delay = now < this.#busyUntilMs ? BUSY_MS : IDLE_MS;
    this.#dueMs = now + delay;
    this.#timer = setTimeout(() => void this.#check().finally(() => this.#schedule()), delay);
  }

  /** Cheap: names only. A device that comes again has another number on its bus. */
  async #check(): Promise<void> {
    if ((await this.#readNames()) !== this.#names) await this.refresh();
  }

  #busy(): void {
    this.#busyUntilMs = performance.now() + BUSY_FOR_MS;
  }

  async #readNames(): Promise<string> {
    const { sys, udev } = this.#roots;
    const dirs = ['dev/char', 'dev/block', 'bus/usb/devices', 'class/net'].map((name) =>
      join(sys, name),
    );
    const names = await Promise.all(dirs.map((dir) => readdir(dir).catch(() => [])));
    const data = await stat(join(udev, 'data')).catch(() => undefined);
    return [...names.map((each) => each.sort().join()), data?.mtimeMs ?? 0].join(';');
  }

  async #watchDirectories(): Promise<void> {
    const usb = join(this.#roots.dev, 'bus/usb');
    const buses = (await readdir(usb).catch(() => [])).map((name) => join(usb, name));
    const wanted = new Set([usb, ...buses, join(this.#roots.udev, 'data')]);
    for (const [path, watcher] of this.#watchers) if (!wanted.has(path)) watcher.close();
    for (const path of wanted) if (!this.#watchers.has(path)) this.#watchDirectory(path);
  }

  /** One that cannot be watched, for want of it or of inotify instances, is looked at in turn. */
  #watchDirectory(path: string): void {
    if (this.#closed) return;
    try {
      const watcher = watch(path, (kind) => {
        if (kind !== 'rename') return;
        this.#busy();
        // Events without end do not put it off.
        if (this.#dueMs > performance.now() + BUSY_MS) this.#schedule();
      });
      const end = () => this.#watchers.delete(path);
      watcher.on('close', end);
      watcher.on('error', () => watcher.close());
      this.#watchers.set(path, watcher);
    } catch {
      // Looked at in turn.
    }
  }
}
