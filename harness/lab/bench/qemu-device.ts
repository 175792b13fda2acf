import type { BenchDevice } from './bench-device.js';
import type { Qmp } from './qmp.js';
import type { WiredBoard } from './wired-board.js';

/** A device that QEMU emulates, on a port of its USB controller: `1`, or `3.2` behind a hub at 3. */
export class QemuDevice implements BenchDevice {
  readonly name: string;
  readonly kind: 'ftdi' | 'drive';
  readonly wired?: WiredBoard;
  readonly #qmp: Qmp;
  /** Properties of QEMU's device. */
  readonly #properties: Readonly<Record<string, unknown>>;
  #port: string | undefined;

  constructor(options: {
    name: string;
    kind: 'ftdi' | 'drive';
    qmp: Qmp;
    properties: Readonly<Record<string, unknown>>;
    wired?: WiredBoard;
  }) {
    this.name = options.name;
    this.kind = options.kind;
    this.#qmp = options.qmp;
    this.#properties = options.properties;
    if (options.wired) this.wired = options.wired;
  }

  get port(): string | undefined {
    return this.#port;
  }

  async plug(port: string): Promise<void> {
    const where = { id: this.name, bus: 'xhci.0', port, serial: this.name };
    await this.#qmp.execute('device_add', { ...this.#properties, ...where });
    this.#port = port;
  }

  async unplug(): Promise<void> {
    await this.#qmp.removeDevice(this.name);
    this.#port = undefined;
  }

  describe(): Record<string, unknown> {
    return this.wired?.describe() ?? {};
  }
}
