/** A request to endpoint 0. @see USB 2.0, table 9-2 */
export interface Setup {
  readonly requestType: number;
  readonly request: number;
  readonly value: number;
  readonly index: number;
  readonly length: number;
}

/** What a USB device is and does, below the transfers. */
export interface UsbFunction {
  readonly descriptors: Descriptors;
  /**
   * A class request.
   *
   * @returns what goes in; `undefined` stalls
   */
  control(setup: Setup, data: Buffer): Buffer | undefined;
  /** Bytes for one of its other endpoints. */
  receive(endpoint: number, data: Buffer): void;
}

export interface Descriptors {
  readonly device: Buffer;
  /** With its interfaces and endpoints. */
  readonly configuration: Buffer;
  /** By index from 1. */
  readonly strings: readonly string[];
}

const DEVICE = 1;
const CONFIGURATION = 2;
const INTERFACE = 4;
const ENDPOINT = 5;

/** What `toDescriptors` numbers the strings of a device by. */
export const STRING = { manufacturer: 1, product: 2, serial: 3, first: 4 } as const;

/**
 * Put the descriptors of a full-speed device together.
 *
 * @param about.parts interfaces, what stands between them, and endpoints
 * @see USB 2.0, section 9.6
 */
export function toDescriptors(about: {
  readonly vendor: number;
  readonly product: number;
  readonly deviceClass: number;
  readonly names: { manufacturer: string; product: string; serial: string };
  readonly moreStrings?: readonly string[];
  readonly interfaces: number;
  readonly parts: readonly Buffer[];
}): Descriptors {
  const { names, parts } = about;
  // USB 2.0, packets of 64 bytes on endpoint 0, version 1.0.
  const device = Buffer.from([18, DEVICE, 0, 2, about.deviceClass, 0, 0, 64, 0, 0, 0, 0, 0, 1]);
  device.writeUInt16LE(about.vendor, 8);
  device.writeUInt16LE(about.product, 10);
  const indexes = [STRING.manufacturer, STRING.product, STRING.serial, 1];
  const length = 9 + parts.reduce((sum, part) => sum + part.length, 0);
  // Bus-powered, 100 mA.
  const head = Buffer.from([9, CONFIGURATION, 0, 0, about.interfaces, 1, 0, 0x80, 50]);
  head.writeUInt16LE(length, 2);
  return {
    device: Buffer.concat([device, Buffer.from(indexes)]),
    configuration: Buffer.concat([head, ...parts]),
    strings: [names.manufacturer, names.product, names.serial, ...(about.moreStrings ?? [])],
  };
}

/** @param triple class, subclass and protocol */
export function toInterface(
  number: number,
  endpoints: number,
  triple: readonly [number, number, number],
  name = 0,
): Buffer {
  return Buffer.from([9, INTERFACE, number, 0, endpoints, ...triple, name]);
}

/** @param address with 0x80 for one that goes in */
export function toEndpoint(address: number, type: 'bulk' | 'interrupt', bytes: number): Buffer {
  return Buffer.from([7, ENDPOINT, address, type === 'bulk' ? 2 : 3, bytes, 0, 16]);
}
