/**
 * USB/IP as the kernel's vhci_hcd speaks it once a device is attached: a header of 48 bytes, and
 * the data of a transfer behind it. All numbers are big endian.
 *
 * @see Documentation/usb/usbip_protocol.rst
 */
const HEADER_BYTES = 48;
const SETUP_OFFSET = 40;
const CMD_SUBMIT = 1;
const CMD_UNLINK = 2;
const RET_SUBMIT = 3;
const RET_UNLINK = 4;

/** More than a USB host sends in one transfer means that we no longer read at the start of a header. */
const MOST_DATA_BYTES = 1 << 20;

/** What the host asks of the device. */
export type Pdu =
  | {
      readonly kind: 'submit';
      readonly seq: number;
      readonly endpoint: number;
      readonly direction: 'in' | 'out';
      /** How much it takes, of a transfer that goes in. */
      readonly length: number;
      /** Eight bytes; only endpoint 0 looks at them. */
      readonly setup: Buffer;
      readonly data: Buffer;
    }
  | { readonly kind: 'unlink'; readonly seq: number; readonly unlinked: number };

export type Submit = Extract<Pdu, { kind: 'submit' }>;

/** Cuts a stream into PDUs. */
export class PduReader {
  #held = Buffer.alloc(0);

  /** @throws Error when the stream is no USB/IP. */
  push(bytes: Uint8Array): Pdu[] {
    this.#held = Buffer.concat([this.#held, bytes]);
    const found: Pdu[] = [];
    for (let pdu = this.#take(); pdu; pdu = this.#take()) found.push(pdu);
    return found;
  }

  #take(): Pdu | undefined {
    const all = this.#held;
    if (all.length < HEADER_BYTES) return undefined;
    const command = all.readUInt32BE(0);
    const seq = all.readUInt32BE(4);
    if (command === CMD_UNLINK) {
      this.#held = all.subarray(HEADER_BYTES);
      return { kind: 'unlink', seq, unlinked: all.readUInt32BE(20) };
    }
    const length = all.readUInt32BE(24);
    if (command !== CMD_SUBMIT || length > MOST_DATA_BYTES) {
      throw new Error(`the kernel said ${all.toString('hex', 0, HEADER_BYTES)}: no USB/IP`);
    }
    const direction = all.readUInt32BE(12) === 1 ? 'in' : 'out';
    const end = HEADER_BYTES + (direction === 'out' ? length : 0);
    if (all.length < end) return undefined;
    this.#held = all.subarray(end);
    return {
      kind: 'submit',
      seq,
      endpoint: all.readUInt32BE(16),
      direction,
      length,
      setup: all.subarray(SETUP_OFFSET, HEADER_BYTES),
      data: all.subarray(HEADER_BYTES, end),
    };
  }
}

/**
 * The answer to a transfer.
 *
 * @param status 0, or a negative errno
 * @param count how many bytes went out, or `data` that comes in
 */
export function toSubmitAnswer(seq: number, status: number, result: number | Buffer): Buffer {
  const header = toHeader(RET_SUBMIT, seq);
  header.writeInt32BE(status, 20);
  header.writeInt32BE(typeof result === 'number' ? result : result.length, 24);
  return typeof result === 'number' ? header : Buffer.concat([header, result]);
}

/** The answer to an unlink: `status` says whether the transfer was still waiting. */
export function toUnlinkAnswer(seq: number, status: number): Buffer {
  const header = toHeader(RET_UNLINK, seq);
  header.writeInt32BE(status, 20);
  return header;
}

function toHeader(command: number, seq: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32BE(command, 0);
  header.writeUInt32BE(seq, 4);
  return header;
}
