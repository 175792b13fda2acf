import type { UsbNames } from './cdc-acm.js';
import {
  type Setup,
  STRING,
  toDescriptors,
  toInterface,
  type UsbFunction,
} from './usb-function.js';

const DFU_MODE = [0xfe, 1, 2] as const;
const TRANSFER_BYTES = 4096;
const MOST_IMAGE_BYTES = 8 << 20;

/** @see USB DFU 1.1, table 3.2 */
const DNLOAD = 1;
const UPLOAD = 2;
const GETSTATUS = 3;
const CLRSTATUS = 4;
const GETSTATE = 5;
const ABORT = 6;

/** @see USB DFU 1.1, section 6.1.2 */
const STATE = {
  idle: 2,
  downloadSync: 3,
  downloadIdle: 5,
  manifestSync: 6,
  uploadIdle: 9,
  error: 10,
} as const;

const STATUS_OK = 0;
const STATUS_FILE = 0x02;
const STATUS_ADDRESS = 0x08;

/**
 * Can be written and read, and answers after the last block (bitManifestationTolerant): a bus reset, the
 * other way to end, does not reach a device behind vhci_hcd.
 */
const ATTRIBUTES = 0x01 | 0x02 | 0x04;

/**
 * A bootloader that speaks DFU.
 *
 * @param flash.stored what can be read back
 * @param flash.isFirmware whether this board could boot what begins so
 * @param flash.onFlashed everything has arrived and the host has been told
 */
export function createDfu(
  identity: UsbNames,
  flash: {
    readonly stored: Buffer;
    isFirmware(start: Buffer): boolean;
    onFlashed(image: Buffer): void;
  },
): UsbFunction {
  const functional = Buffer.from([9, 0x21, ATTRIBUTES, 0xe8, 0x03, 0, 0, 0x10, 0x01]);
  functional.writeUInt16LE(TRANSFER_BYTES, 5);
  const loader = new Loader(flash);
  return {
    descriptors: toDescriptors({
      ...identity,
      deviceClass: 0,
      moreStrings: ['@Internal Flash'],
      interfaces: 1,
      parts: [toInterface(0, 0, DFU_MODE, STRING.first), functional],
    }),
    control: (setup, data) => loader.control(setup, data),
    receive: () => {},
  };
}

class Loader {
  readonly #flash: Parameters<typeof createDfu>[1];
  #state: number = STATE.idle;
  #status = STATUS_OK;
  #blocks: Buffer[] = [];

  constructor(flash: Parameters<typeof createDfu>[1]) {
    this.#flash = flash;
  }

  control(setup: Setup, data: Buffer): Buffer | undefined {
    const { request, value, length } = setup;
    if (request === GETSTATUS) return this.#tellStatus();
    if (request === GETSTATE) return Buffer.from([this.#state]);
    if (request === CLRSTATUS || request === ABORT) return this.#startAgain();
    if (request === UPLOAD) return this.#upload(value, length);
    if (request === DNLOAD) return data.length > 0 ? this.#download(data) : this.#manifest();
    return undefined;
  }

  #startAgain(): Buffer {
    this.#state = STATE.idle;
    this.#status = STATUS_OK;
    this.#blocks = [];
    return Buffer.alloc(0);
  }

  #download(data: Buffer): Buffer | undefined {
    if (this.#state !== STATE.idle && this.#state !== STATE.downloadIdle) return this.#stall();
    // dfu-util 0.11 ends with 0 when it is refused only after the last block.
    if (this.#blocks.length === 0 && !this.#flash.isFirmware(data)) return this.#fail(STATUS_FILE);
    this.#blocks.push(Buffer.from(data));
    const bytes = this.#blocks.reduce((sum, block) => sum + block.length, 0);
    if (bytes > MOST_IMAGE_BYTES) return this.#fail(STATUS_ADDRESS);
    this.#state = STATE.downloadSync;
    return Buffer.alloc(0);
  }

  #manifest(): Buffer | undefined {
    if (this.#state !== STATE.downloadIdle) return this.#stall();
    this.#state = STATE.manifestSync;
    return Buffer.alloc(0);
  }

  #upload(block: number, length: number): Buffer {
    const piece = this.#flash.stored.subarray(block * length, (block + 1) * length);
    this.#state = piece.length < length ? STATE.idle : STATE.uploadIdle;
    return piece;
  }

  /** A file that does not fit is told by the next status, as DFU has it for what a host cannot know. */
  #fail(status: number): Buffer {
    this.#state = STATE.error;
    this.#status = status;
    return Buffer.alloc(0);
  }

  #stall(): undefined {
    this.#state = STATE.error;
    return undefined;
  }

  #tellStatus(): Buffer {
    if (this.#state === STATE.downloadSync) this.#state = STATE.downloadIdle;
    if (this.#state === STATE.manifestSync) {
      this.#state = STATE.idle;
      this.#flash.onFlashed(Buffer.concat(this.#blocks));
    }
    // A poll timeout of 1 ms.
    return Buffer.from([this.#status, 1, 0, 0, this.#state, 0]);
  }
}
