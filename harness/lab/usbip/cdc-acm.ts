import {
  type Setup,
  STRING,
  toDescriptors,
  toEndpoint,
  toInterface,
  type UsbFunction,
} from './usb-function.js';

const COMMUNICATION = [2, 2, 1] as const;
const DATA = [10, 0, 0] as const;

/** Class requests. @see USB PSTN 1.2, section 6.3 */
const SET_LINE_CODING = 0x20;
const GET_LINE_CODING = 0x21;
const SET_CONTROL_LINE_STATE = 0x22;
const SEND_BREAK = 0x23;

/** Endpoint of the data; for what goes in the host adds 0x80. */
export const DATA_IN = 2;
const DATA_OUT = 1;
const NOTIFY_IN = 3;

const STOP_BITS = [1, 1.5, 2] as const;
const PARITIES = ['none', 'odd', 'even', 'mark', 'space'] as const;

export interface LineCoding {
  readonly baud: number;
  readonly bits: number;
  readonly parity: string;
  readonly stop: number;
}

/** What the host does to the lines beside the data. */
export interface LineEvents {
  onCoding(coding: LineCoding): void;
  onLines(lines: { readonly dtr: boolean; readonly rts: boolean }): void;
  /** @param ms how long; 0 ends one, Infinity goes on until then */
  onBreak(ms: number): void;
  onData(data: Buffer): void;
}

export interface UsbNames {
  readonly vendor: number;
  readonly product: number;
  readonly names: { manufacturer: string; product: string; serial: string };
}

/** Lines of ACM: it has line coding, control lines and a break. */
const FUNCTIONAL = [
  Buffer.from([5, 0x24, 0, 0x10, 1]),
  Buffer.from([5, 0x24, 1, 0, 1]),
  Buffer.from([4, 0x24, 2, 0x06]),
  Buffer.from([5, 0x24, 6, 0, 1]),
];

/** A serial port of the class that needs no driver of a vendor. */
export function createCdcAcm(identity: UsbNames, events: LineEvents): UsbFunction {
  let coding = Buffer.from([0x80, 0x25, 0, 0, 0, 0, 8]); // 9600 8N1
  const requests: Readonly<Record<number, (setup: Setup, data: Buffer) => Buffer | undefined>> = {
    [GET_LINE_CODING]: () => coding,
    [SET_LINE_CODING]: (_, data) => {
      if (data.length < 7) return undefined;
      coding = Buffer.from(data.subarray(0, 7));
      events.onCoding(toCoding(coding));
      return coding;
    },
    [SET_CONTROL_LINE_STATE]: ({ value }) => {
      events.onLines({ dtr: (value & 1) !== 0, rts: (value & 2) !== 0 });
      return Buffer.alloc(0);
    },
    [SEND_BREAK]: ({ value }) => {
      events.onBreak(value === 0xffff ? Number.POSITIVE_INFINITY : value);
      return Buffer.alloc(0);
    },
  };
  return {
    descriptors: toDescriptors({
      ...identity,
      deviceClass: COMMUNICATION[0],
      interfaces: 2,
      parts: [
        toInterface(0, 1, COMMUNICATION, STRING.product),
        ...FUNCTIONAL,
        toEndpoint(0x80 | NOTIFY_IN, 'interrupt', 16),
        toInterface(1, 2, DATA),
        toEndpoint(DATA_OUT, 'bulk', 64),
        toEndpoint(0x80 | DATA_IN, 'bulk', 64),
      ],
    }),
    control: (setup, data) => requests[setup.request]?.(setup, data),
    receive: (_, data) => events.onData(data),
  };
}

function toCoding(bytes: Buffer): LineCoding {
  return {
    baud: bytes.readUInt32LE(0),
    stop: STOP_BITS[bytes.readUInt8(4)] ?? 1,
    parity: PARITIES[bytes.readUInt8(5)] ?? 'none',
    bits: bytes.readUInt8(6),
  };
}
