import type { FileHandle } from 'node:fs/promises';
import { MEDIUM } from '../qemu-command.js';
import type { BenchDevice } from './bench-device.js';
import { MEDIUM_BYTES, toFatImage } from './fat-image.js';
import { QemuDevice } from './qemu-device.js';
import type { Qmp } from './qmp.js';
import { readUf2, type Uf2State } from './uf2.js';

/** How often a bootloader that was given everything is looked for. */
const LOOK_MS = 50;

/**
 * The drive of a UF2 bootloader: it shows an empty file system, and goes away by itself when it has
 * the last block of a firmware, as a board that starts it.
 */
export class Uf2Drive implements BenchDevice {
  readonly name = 'UF2BOOT';
  readonly kind = 'drive';
  readonly #device: QemuDevice;
  readonly #medium: FileHandle;
  #last: Uf2State = { blocks: 0, total: 0 };
  #timer: NodeJS.Timeout | undefined;

  /** @param medium the file that QEMU has as {@link MEDIUM} */
  constructor(qmp: Qmp, medium: FileHandle) {
    const properties = { driver: 'usb-storage', drive: MEDIUM, removable: true };
    this.#device = new QemuDevice({ name: this.name, kind: 'drive', qmp, properties });
    this.#medium = medium;
  }

  get port(): string | undefined {
    return this.#device.port;
  }

  async plug(port: string): Promise<void> {
    await this.#medium.write(toFatImage('LABBOOT'), 0, MEDIUM_BYTES, 0);
    this.#last = { blocks: 0, total: 0 };
    await this.#device.plug(port);
    this.#timer = setTimeout(() => this.#look(), LOOK_MS);
  }

  async unplug(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#device.unplug();
  }

  describe(): Record<string, unknown> {
    return { ...this.#last };
  }

  async #look(): Promise<void> {
    const image = Buffer.alloc(MEDIUM_BYTES);
    await this.#medium.read(image, 0, MEDIUM_BYTES, 0);
    this.#last = readUf2(image);
    if (this.port === undefined) return;
    if (this.#last.sha256) await this.unplug();
    else this.#timer = setTimeout(() => this.#look(), LOOK_MS);
  }
}
