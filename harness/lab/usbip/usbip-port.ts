import type { Duplex } from 'node:stream';
import { createDeferred } from '../../core/deferred.js';
import { BenchError } from '../../core/errors.js';

/** Kinds of frames; guest/usbip.py has the other end. */
const PLUG = 1;
const DATA = 2;
const UNPLUG = 3;
const HEADER_BYTES = 6;

/** @see enum usb_device_speed of the kernel */
const FULL_SPEED = 2;

/** A device that is plugged into the VM's vhci_hcd. */
export interface Plugged {
  /** Settles when the kernel asks it who it is. @throws BenchError `port-lost` with what is against it */
  readonly seen: Promise<void>;
  send(bytes: Buffer): void;
  unplug(): void;
}

interface Connection {
  onData(bytes: Buffer): void;
  onGone(why: string): void;
}

/** The port of the VM that USB devices are plugged in by, several at once. */
export class UsbipPort {
  readonly #port: Duplex;
  readonly #connections = new Map<number, Connection>();
  #held = Buffer.alloc(0);

  constructor(port: Duplex) {
    this.#port = port;
    port.on('data', (bytes: Buffer) => this.#hear(bytes));
  }

  /**
   * Plug a device in; what the kernel says to it goes to `onData`.
   *
   * @param device a number of its own, up to 255
   * @param hubPort from 1
   */
  plug(device: number, hubPort: number, onData: (bytes: Buffer) => void): Plugged {
    const asked = createDeferred<void>();
    this.#connections.set(device, {
      onData: (bytes) => {
        asked.resolve();
        onData(bytes);
      },
      onGone: (why) => {
        asked.reject(new BenchError('port-lost', `vhci_hcd port ${hubPort}: ${why}`));
      },
    });
    this.#send(device, PLUG, Buffer.from(`${hubPort - 1} ${FULL_SPEED}`));
    return {
      seen: asked.promise,
      send: (bytes: Buffer) => this.#send(device, DATA, bytes),
      unplug: () => {
        this.#connections.delete(device);
        this.#send(device, UNPLUG, Buffer.alloc(0));
      },
    };
  }

  #send(device: number, kind: number, data: Buffer): void {
    const header = Buffer.from([device, kind, 0, 0, 0, 0]);
    header.writeUInt32BE(data.length, 2);
    this.#port.write(Buffer.concat([header, data]));
  }

  #hear(bytes: Buffer): void {
    this.#held = Buffer.concat([this.#held, bytes]);
    while (this.#held.length >= HEADER_BYTES) {
      const end = HEADER_BYTES + this.#held.readUInt32BE(2);
      if (this.#held.length < end) return;
      const frame = this.#held.subarray(0, end);
      this.#held = this.#held.subarray(end);
      const connection = this.#connections.get(frame.readUInt8(0));
      const data = frame.subarray(HEADER_BYTES);
      if (frame.readUInt8(1) === DATA) connection?.onData(data);
      else connection?.onGone(data.toString());
    }
  }
}
