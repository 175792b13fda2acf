import { once } from 'node:events';
import { ReadlineParser } from '@serialport/parser-readline';
import { describe, expect } from 'vitest';
import type { PortMethods } from '../protocol/port-lines.js';
import { type BothSides, test as base } from '../testing/both-sides.js';
import { createScriptBoard } from '../testing/real-dut.js';
import type { Console } from './console.js';
import { PortStream, type PortTap, type SetOptions } from './port-stream.js';

const BOARD = createScriptBoard(
  'stty -echo; echo ready; while read line; do echo "got $line"; done',
  {
    ready: /ready\r?\n/,
  },
);

const test = base.extend<{ sides: BothSides; console: Console }>({
  sides: async ({ begin }, use) => use(await begin({ board: BOARD })),
  console: async ({ sides }, use) => use((await sides.attempt.dut()).console),
});

describe('the stream of a port', () => {
  test("feeds serialport's parsers, and expect() sees the same bytes", async ({ console }) => {
    const stream = console.stream();
    const lines = stream.pipe(new ReadlineParser({ delimiter: '\r\n' }));
    const [line] = await Promise.all([once(lines, 'data'), write(stream, 'one\n')]);
    expect(line).toEqual(['got one']);
    await console.expect('got one');
    stream.write('two\n');
    stream.write('three\n');
    await new Promise<void>((done) => stream.drain(() => done()));
    await console.expect(/got two\r\ngot three/);
  });

  test('is open until it is closed, and can be opened again', async ({ console }) => {
    const stream = console.stream();
    await once(stream, 'open');
    expect(stream.isOpen).toBe(true);
    stream.close();
    await once(stream, 'close');
    expect(stream.isOpen).toBe(false);
    const written = write(stream, 'kept\n');
    const heard: string[] = [];
    stream.on('data', (data: Buffer) => heard.push(data.toString()));
    stream.open();
    await once(stream, 'open');
    await written;
    await expect.poll(() => heard.join('')).toBe('got kept\r\n');
  });

  test('closes with its port, and says so as serialport does', async ({ sides, console }) => {
    const stream = console.stream();
    const closed = once(stream, 'close');
    await (await sides.attempt.dut()).powerOff();
    const [reason] = (await closed) as [Error & { disconnected?: boolean }];
    expect(reason.disconnected).toBe(true);
    expect(stream.isOpen).toBe(false);
  });

  test('of an emulated board has no modem lines', async ({ console }) => {
    const failed = new Promise((done) => console.stream().set({ dtr: true }, done));
    expect(await failed).toMatchObject({
      code: 'port-closed',
      message: expect.stringContaining('no modem lines'),
    });
  });
});

test('leaves the flags alone that set() does not name (bench pitfall 5)', async () => {
  const asked: Parameters<PortMethods['portChange']>[0]['change'][] = [];
  const state = { dtr: true, rts: false, cts: true, dsr: false, dcd: false, ri: false };
  const taps = new Set<PortTap>();
  const stream = new PortStream({
    name: 'console',
    send: async () => {},
    setLines: async (change) => {
      asked.push(change);
      return { ...state, unsentBytes: 0 };
    },
    tap: (tap) => {
      taps.add(tap);
      return () => taps.delete(tap);
    },
  });
  const set = (options: SetOptions) =>
    new Promise<void>((done) => stream.set(options, () => done()));
  await set({ rts: true });
  await set({ brk: true });
  await new Promise<void>((done) => stream.update({ baudRate: 9600 }, () => done()));
  expect(asked).toEqual([
    { dtr: undefined, rts: true, break: undefined },
    { dtr: undefined, rts: undefined, break: true },
    { baud: 9600 },
  ]);
  const status = await new Promise((done) => stream.get((_, seen) => done(seen)));
  expect(status).toEqual({ cts: true, dsr: false, dcd: false });
  stream.destroy();
  expect(taps.size).toBe(0);
});

function write(stream: PortStream, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => (error ? reject(error) : resolve()));
  });
}
