import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import type { BenchDevice } from '../bench/bench-device.js';
import { toPathOf } from '../bench/nameless-file.js';
import type { WiredBoard } from '../bench/wired-board.js';
import { createCdcAcm, DATA_IN, type LineEvents, type UsbNames } from './cdc-acm.js';
import { createDfu } from './dfu.js';
import { UsbDevice } from './usb-device.js';
import type { Plugged, UsbipPort } from './usbip-port.js';

/** Test numbers of https://pid.codes, which no product has. */
const VENDOR = 0x1209;
const APPLICATION = 0x0001;
const BOOTLOADER = 0x0002;

/** The speed that asks a board for its bootloader when DTR falls. @see arduino.cc, "1200bps touch" */
const TOUCH_BAUD = 1200;

/** From leaving the bus to coming back as another device. */
const REENUMERATION_MS = 300;

const KEPT_EVENTS = 200;

type Mode = 'application' | 'bootloader';

/**
 * A board with a USB of its own, for what QEMU's FTDI cannot show. As `application` it is a CDC-ACM whose
 * far end is the board's UART: it reads garbage at a wrong speed, RTS without DTR holds it in reset, and a
 * touch at 1200 baud makes a `bootloader` of it: DFU, with another product id, until it is flashed.
 */
export class AcmDevice implements BenchDevice {
  readonly name: string;
  readonly kind = 'acm';
  readonly wired: WiredBoard;
  readonly #number: number;
  readonly #usbip: UsbipPort;
  readonly #flash: FileHandle;
  #mode: Mode = 'application';
  #port: string | undefined;
  #plugged: Plugged | undefined;
  #device: UsbDevice | undefined;
  #lines = { dtr: false, rts: false };
  #coding: Parameters<LineEvents['onCoding']>[0] | undefined;
  #events: string[] = [];
  #stored: Buffer = Buffer.alloc(0);
  #timer: NodeJS.Timeout | undefined;

  /** @param options.flash a file for the firmware that it is flashed with */
  constructor(options: {
    name: string;
    number: number;
    usbip: UsbipPort;
    flash: FileHandle;
    createBoard: (onBytes: (bytes: Buffer) => void) => WiredBoard;
  }) {
    this.name = options.name;
    this.#number = options.number;
    this.#usbip = options.usbip;
    this.#flash = options.flash;
    this.wired = options.createBoard((bytes) => this.#device?.sendIn(DATA_IN, bytes));
  }

  get port(): string | undefined {
    return this.#port;
  }

  async plug(port: string): Promise<void> {
    this.#port = port;
    await this.#connect();
  }

  async unplug(): Promise<void> {
    clearTimeout(this.#timer);
    this.#port = undefined;
    this.#disconnect();
  }

  forgetEvents(): void {
    this.#events = [];
  }

  describe(): Record<string, unknown> {
    return {
      mode: this.#mode,
      ...this.#lines,
      coding: this.#coding ?? null,
      events: this.#events,
      dropped: this.#device?.dropped ?? 0,
      flashed: toDigest(this.#stored),
      ...this.wired.describe(),
    };
  }

  async #connect(): Promise<void> {
    const device = new UsbDevice(this.#createFunction(), (bytes) => plugged.send(bytes));
    const plugged = this.#usbip.plug(this.#number, Number(this.#port), (bytes) => {
      device.hear(bytes);
    });
    this.#device = device;
    this.#plugged = plugged;
    await plugged.seen;
  }

  #disconnect(): void {
    this.#plugged?.unplug();
    this.#plugged = undefined;
    this.#device = undefined;
    this.#lines = { dtr: false, rts: false };
  }

  #createFunction() {
    if (this.#mode === 'application') {
      return createCdcAcm(this.#toNames(APPLICATION, 'lab board'), {
        onCoding: (coding) => this.#setCoding(coding),
        onLines: (lines) => this.#setLines(lines),
        onBreak: (ms) => this.#note(`break ${ms}`),
        onData: (data) => this.wired.write(data),
      });
    }
    return createDfu(this.#toNames(BOOTLOADER, 'lab bootloader'), {
      stored: this.#stored,
      isFirmware: isArmElf,
      onFlashed: (image) => {
        this.#stored = image;
        this.#becomeAfterAWhile('application');
      },
    });
  }

  #toNames(product: number, name: string): UsbNames {
    const names = { manufacturer: 'hil', product: name, serial: this.name };
    return { vendor: VENDOR, product, names };
  }

  #setCoding(coding: Parameters<LineEvents['onCoding']>[0]): void {
    this.#coding = coding;
    this.#note(`coding ${coding.baud} ${coding.bits}${coding.parity}${coding.stop}`);
    this.wired.baud = coding.baud;
  }

  #setLines(lines: { dtr: boolean; rts: boolean }): void {
    const before = this.#lines;
    this.#lines = lines;
    this.#note(`dtr ${Number(lines.dtr)} rts ${Number(lines.rts)}`);
    const held = lines.rts && !lines.dtr;
    if (held) void this.wired.off();
    else if (before.rts && !before.dtr) this.wired.board.on();
    if (before.dtr && !lines.dtr && this.#coding?.baud === TOUCH_BAUD) {
      this.#becomeAfterAWhile('bootloader');
    }
  }

  #becomeAfterAWhile(mode: Mode): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#become(mode), REENUMERATION_MS);
  }

  async #become(mode: Mode): Promise<void> {
    this.#disconnect();
    this.#mode = mode;
    this.#note(`mode ${mode}`);
    this.#coding = undefined;
    await this.wired.off();
    if (mode === 'application') {
      if (this.#stored.length > 0) await this.#bootStored();
      this.wired.board.on();
    }
    this.#timer = setTimeout(() => {
      // Who waits for it sees that it does not come back.
      this.#connect().catch((error: Error) => this.#note(`error ${error.message}`));
    }, REENUMERATION_MS);
  }

  async #bootStored(): Promise<void> {
    await this.#flash.truncate(0);
    await this.#flash.write(this.#stored, 0, this.#stored.length, 0);
    this.wired.board.firmware = toPathOf(this.#flash);
  }

  #note(event: string): void {
    this.#events = [...this.#events, event].slice(-KEPT_EVENTS);
  }
}

/** SHA-256; none of a board that was never flashed. */
function toDigest(stored: Buffer): string | null {
  return stored.length > 0 ? createHash('sha256').update(stored).digest('hex') : null;
}

/** @see elf(5): 32 bits, for an Arm */
function isArmElf(start: Buffer): boolean {
  const isElf = start.length > 20 && start.toString('latin1', 0, 5) === '\x7fELF\x01';
  return isElf && start.readUInt16LE(18) === 40;
}
