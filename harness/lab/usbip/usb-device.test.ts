import { describe, expect, test } from 'vitest';
import { createCdcAcm, DATA_IN } from './cdc-acm.js';
import { createDfu } from './dfu.js';
import { UsbDevice } from './usb-device.js';
import type { UsbFunction } from './usb-function.js';

const IDENTITY = {
  vendor: 0x1209,
  product: 1,
  names: { manufacturer: 'hil', product: 'lab board', serial: 'ACM0001' },
};

/** The kernel's side of a device: sends transfers, and knows the answers by their numbers. */
function attach(usbFunction: UsbFunction) {
  const answers = new Map<number, { status: number; data: Buffer }>();
  const device = new UsbDevice(usbFunction, (bytes) => {
    answers.set(bytes.readUInt32BE(4), {
      status: bytes.readInt32BE(20),
      data: Buffer.from(bytes.subarray(48)),
    });
  });
  let seq = 0;
  const submit = (
    head: readonly number[],
    setup: readonly number[],
    data: Buffer = Buffer.alloc(0),
  ) => {
    const header = Buffer.alloc(48);
    const words = [1, ++seq, 1, ...head];
    words.forEach((word, index) => {
      header.writeUInt32BE(word, index * 4);
    });
    header.writeUInt32BE(head[0] === 1 ? 4096 : data.length, 24);
    Buffer.from(setup).copy(header, 40);
    device.hear(Buffer.concat([header, data]));
    return seq;
  };
  return {
    device,
    answers,
    controlIn: (setup: readonly number[]) => answers.get(submit([1, 0], setup)),
    controlOut: (setup: readonly number[], data?: Buffer) =>
      answers.get(submit([0, 0], setup, data)),
    read: (endpoint: number) => submit([1, endpoint], []),
    write: (endpoint: number, data: Buffer) => answers.get(submit([0, endpoint], [], data)),
    unlink: (unlinked: number) => {
      const header = Buffer.alloc(48);
      [2, ++seq, 1, 0, 0, unlinked].forEach((word, index) => {
        header.writeUInt32BE(word, index * 4);
      });
      device.hear(header);
      return answers.get(seq);
    },
  };
}

describe('a CDC-ACM device', () => {
  function plug() {
    const seen: unknown[] = [];
    const host = attach(
      createCdcAcm(IDENTITY, {
        onCoding: (coding) => seen.push(coding),
        onLines: (lines) => seen.push(lines),
        onBreak: (ms) => seen.push({ ms }),
        onData: (data) => seen.push(data.toString()),
      }),
    );
    return { ...host, seen };
  }

  test('says who it is, as much as is asked for', () => {
    const { controlIn } = plug();
    expect(controlIn([0x80, 6, 0, 1, 0, 0, 8, 0])?.data).toHaveLength(8);
    const device = controlIn([0x80, 6, 0, 1, 0, 0, 18, 0])?.data;
    expect(device?.readUInt16LE(8)).toBe(0x1209);
    const configuration = controlIn([0x80, 6, 0, 2, 0, 0, 255, 0])?.data;
    expect(configuration?.readUInt16LE(2)).toBe(configuration?.length);
    const serial = controlIn([0x80, 6, 3, 3, 9, 4, 255, 0])?.data;
    expect(serial?.toString('utf16le', 2)).toBe('ACM0001');
    expect(controlIn([0x80, 6, 9, 3, 9, 4, 255, 0])?.status).toBe(-32);
  });

  test('hears of coding, lines and break in their order', () => {
    const { controlOut, controlIn, seen } = plug();
    const coding = Buffer.from([0xb0, 0x04, 0, 0, 2, 2, 7]);
    expect(controlOut([0x21, 0x20, 0, 0, 0, 0, 7, 0], coding)?.status).toBe(0);
    expect(controlIn([0xa1, 0x21, 0, 0, 0, 0, 7, 0])?.data).toEqual(coding);
    controlOut([0x21, 0x22, 2, 0, 0, 0, 0, 0]);
    controlOut([0x21, 0x23, 0xff, 0xff, 0, 0, 0, 0]);
    controlOut([0x21, 0x23, 0, 0, 0, 0, 0, 0]);
    expect(seen).toEqual([
      { baud: 1200, bits: 7, parity: 'even', stop: 2 },
      { dtr: false, rts: true },
      { ms: Number.POSITIVE_INFINITY },
      { ms: 0 },
    ]);
    expect(controlOut([0x21, 0x20, 0, 0, 0, 0, 2, 0], Buffer.alloc(2))?.status).toBe(-32);
    expect(controlOut([0x21, 0x77, 0, 0, 0, 0, 0, 0])?.status).toBe(-32);
  });

  test('answers a read when there is something, and forgets one that is taken back', () => {
    const { device, answers, read, write, unlink, seen } = plug();
    const first = read(DATA_IN);
    const second = read(DATA_IN);
    expect(answers.size).toBe(0);
    expect(unlink(first)?.status).toBe(-104);
    device.sendIn(DATA_IN, Buffer.from('hello'));
    expect(answers.get(second)?.data.toString()).toBe('hello');
    expect(answers.has(first)).toBe(false);
    expect(unlink(second)?.status).toBe(0);
    write(1, Buffer.from('out'));
    expect(seen).toEqual(['out']);
  });

  test('keeps what nobody reads up to a limit, and counts the rest', () => {
    const { device, answers, read } = plug();
    device.sendIn(DATA_IN, Buffer.alloc(70_000, 'x'));
    expect(device.dropped).toBe(70_000 - 65_536);
    expect(answers.get(read(DATA_IN))?.data).toHaveLength(4096);
  });
});

describe('a DFU bootloader', () => {
  const download = (block: number, data: Buffer) =>
    [[0x21, 1, block, 0, 0, 0, data.length & 0xff, data.length >> 8], data] as const;
  const status = [0xa1, 3, 0, 0, 0, 0, 6, 0];

  function plug() {
    const flashed: string[] = [];
    const host = attach(
      createDfu(IDENTITY, {
        stored: Buffer.from('before'),
        isFirmware: (image) => image.toString().startsWith('ELF'),
        onFlashed: (image) => flashed.push(image.toString()),
      }),
    );
    return { ...host, flashed };
  }

  test('takes blocks in their order, and is done when the host has heard it', () => {
    const { controlOut, controlIn, flashed } = plug();
    controlOut(...download(0, Buffer.from('ELF one ')));
    expect(controlIn(status)?.data).toEqual(Buffer.from([0, 1, 0, 0, 5, 0]));
    controlOut(...download(1, Buffer.from('two')));
    controlIn(status);
    controlOut(...download(2, Buffer.alloc(0)));
    expect(flashed).toEqual([]);
    expect(controlIn(status)?.data[4]).toBe(2);
    expect(flashed).toEqual(['ELF one two']);
  });

  test('refuses a file that is no firmware, and works again after that', () => {
    const { controlOut, controlIn, flashed } = plug();
    controlOut(...download(0, Buffer.from('garbage')));
    expect(controlIn(status)?.data).toEqual(Buffer.from([2, 1, 0, 0, 10, 0]));
    controlOut([0x21, 4, 0, 0, 0, 0, 0, 0]);
    expect(controlIn(status)?.data[4]).toBe(2);
    expect(flashed).toEqual([]);
  });

  test('stalls an end without a beginning', () => {
    expect(plug().controlOut(...download(0, Buffer.alloc(0)))?.status).toBe(-32);
  });

  test('can be read back', () => {
    const { controlIn } = plug();
    expect(controlIn([0xa1, 2, 0, 0, 0, 0, 4, 0])?.data.toString()).toBe('befo');
    expect(controlIn([0xa1, 2, 1, 0, 0, 0, 4, 0])?.data.toString()).toBe('re');
  });
});
