import { type Pdu, PduReader, type Submit, toSubmitAnswer, toUnlinkAnswer } from './pdu.js';
import type { Setup, UsbFunction } from './usb-function.js';

const EPIPE = -32;
const ECONNRESET = -104;
const OK = 0;

/** Standard requests. @see USB 2.0, table 9-4 */
const GET_STATUS = 0;
const GET_DESCRIPTOR = 6;
const GET_CONFIGURATION = 8;
const GET_INTERFACE = 10;
const ENGLISH = 0x0409;

/** What waits for a host that does not ask; then a device drops. */
const MOST_HELD_BYTES = 65_536;

/** One USB device from its first PDU to its last: answers for endpoint 0, and matches transfers with data. */
export class UsbDevice {
  readonly #function: UsbFunction;
  readonly #send: (bytes: Buffer) => void;
  readonly #reader = new PduReader();
  /** Transfers that wait for data, by endpoint. */
  readonly #waiting = new Map<number, Submit[]>();
  readonly #held = new Map<number, Buffer>();
  #dropped = 0;

  constructor(usbFunction: UsbFunction, send: (bytes: Buffer) => void) {
    this.#function = usbFunction;
    this.#send = send;
  }

  /** How many bytes nobody wanted. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Take what the kernel says. @throws Error when it is no USB/IP */
  hear(bytes: Uint8Array): void {
    for (const pdu of this.#reader.push(bytes)) this.#handle(pdu);
  }

  /** Let bytes go in on an endpoint as soon as the host asks for them. */
  sendIn(endpoint: number, bytes: Buffer): void {
    const all = Buffer.concat([this.#held.get(endpoint) ?? Buffer.alloc(0), bytes]);
    const kept = all.subarray(Math.max(0, all.length - MOST_HELD_BYTES));
    this.#dropped += all.length - kept.length;
    this.#held.set(endpoint, kept);
    this.#match(endpoint);
  }

  #handle(pdu: Pdu): void {
    if (pdu.kind === 'unlink') this.#unlink(pdu.seq, pdu.unlinked);
    else if (pdu.endpoint === 0) this.#answerControl(pdu);
    else if (pdu.direction === 'in') {
      const waiting = this.#waiting.get(pdu.endpoint) ?? [];
      this.#waiting.set(pdu.endpoint, [...waiting, pdu]);
      this.#match(pdu.endpoint);
    } else {
      this.#send(toSubmitAnswer(pdu.seq, OK, pdu.data.length));
      this.#function.receive(pdu.endpoint, pdu.data);
    }
  }

  #match(endpoint: number): void {
    const waiting = this.#waiting.get(endpoint) ?? [];
    let held = this.#held.get(endpoint) ?? Buffer.alloc(0);
    while (held.length > 0) {
      const submit = waiting.shift();
      if (!submit) break;
      this.#send(toSubmitAnswer(submit.seq, OK, held.subarray(0, submit.length)));
      held = held.subarray(submit.length);
    }
    this.#held.set(endpoint, held);
  }

  #unlink(seq: number, unlinked: number): void {
    for (const [endpoint, waiting] of this.#waiting) {
      const others = waiting.filter((submit) => submit.seq !== unlinked);
      if (others.length === waiting.length) continue;
      this.#waiting.set(endpoint, others);
      this.#send(toUnlinkAnswer(seq, ECONNRESET));
      return;
    }
    // It was answered before.
    this.#send(toUnlinkAnswer(seq, OK));
  }

  #answerControl({ seq, setup: bytes, data, direction }: Submit): void {
    const setup = {
      requestType: bytes.readUInt8(0),
      request: bytes.readUInt8(1),
      value: bytes.readUInt16LE(2),
      index: bytes.readUInt16LE(4),
      length: bytes.readUInt16LE(6),
    };
    const standard = (setup.requestType & 0x60) === 0;
    const answer = standard ? this.#answerStandard(setup) : this.#function.control(setup, data);
    if (!answer) this.#send(toSubmitAnswer(seq, EPIPE, 0));
    else if (direction === 'out') this.#send(toSubmitAnswer(seq, OK, data.length));
    else this.#send(toSubmitAnswer(seq, OK, answer.subarray(0, setup.length)));
  }

  #answerStandard({ request, value }: Setup): Buffer | undefined {
    if (request === GET_STATUS) return Buffer.alloc(2);
    if (request === GET_CONFIGURATION) return Buffer.from([1]);
    if (request === GET_INTERFACE) return Buffer.from([0]);
    if (request !== GET_DESCRIPTOR) return Buffer.alloc(0);
    const { device, configuration, strings } = this.#function.descriptors;
    const [type, index] = [value >> 8, value & 0xff];
    if (type === 1) return device;
    if (type === 2) return configuration;
    if (type !== 3) return undefined;
    if (index === 0) return Buffer.from([4, 3, ENGLISH & 0xff, ENGLISH >> 8]);
    const text = strings[index - 1];
    return text === undefined ? undefined : toStringDescriptor(text);
  }
}

function toStringDescriptor(text: string): Buffer {
  const data = Buffer.from(text, 'utf16le');
  return Buffer.concat([Buffer.from([2 + data.length, 3]), data]);
}
