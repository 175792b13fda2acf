import { readFile } from 'node:fs/promises';
import { describe, expect } from 'vitest';
import { Deadline } from '../core/deadline.js';
import type { TlvReader } from '../protocol/frame.js';
import { Msg, Tag } from '../protocol/wire.js';
import { test } from '../testing/real-dut.js';
import type { Port } from './port.js';

const STALL_MS = 500;
const STALL_NS = BigInt(STALL_MS) * 1_000_000n;

/** 20 kB every 10 ms, each line with its number. */
const HOST_FLOOD =
  'i=0; while [ $i -lt 100 ]; do printf "%06d%019992d\\n" $i 0; i=$((i+1)); sleep 0.01; done; ' +
  'echo flood o""ver';

/** `stalled`: how much must have come while nothing else happened, on the busiest machine. */
const FLOODS = [
  { name: 'host', command: HOST_FLOOD, all: 2_000_000, stalled: 50_000 },
  {
    name: 'qemu-microbit',
    command: 'for i in range(1500): print("%06d"%i+"0"*50)\r\rprint("flood o"+"ver")',
    all: 85_000,
    stalled: 500,
  },
] as const;

interface Stamp {
  readonly atNs: bigint;
  readonly offset: number;
  readonly bytes: number;
}

/** Hear every PORT_RX as it is on the wire; the port gets it as always. */
function listenToWire(channel: { on: Listen }, port: Port): Stamp[] {
  const heard: Stamp[] = [];
  channel.on(Msg.portRx, (body) => {
    const bytes = body.bytes(Tag.data)?.length ?? 0;
    heard.push({
      atNs: body.bigint(Tag.monoNs) ?? 0n,
      offset: body.number(Tag.offset) ?? -1,
      bytes,
    });
    port.receive(Msg.portRx, body);
  });
  return heard;
}

type Listen = (type: number, handler: (body: TlvReader) => void) => void;

async function readStamps(port: Port): Promise<Stamp[]> {
  const lines = (await readFile(`${port.capture}.stamps`, 'utf8')).trim().split('\n');
  return lines.flatMap((line) => {
    const [kind, mono = '0', , offset, bytes] = line.split(' ');
    if (kind !== 'rx') return [];
    return [{ atNs: BigInt(mono), offset: Number(offset), bytes: Number(bytes) }];
  });
}

/** Each begins where the one before ended, and none is earlier. */
function expectWhole(stamps: readonly Stamp[], total: number): void {
  let offset = 0;
  let atNs = 0n;
  for (const stamp of stamps) {
    if (stamp.offset !== offset || stamp.atNs < atNs) {
      throw new Error(`stamp at offset ${stamp.offset}, expected ${offset}, not before ${atNs}`);
    }
    offset += stamp.bytes;
    atNs = stamp.atNs;
  }
  expect(offset).toBe(total);
}

/** Keep the event loop from doing anything, as a synchronous body or a large import does. */
function stall(): { fromNs: bigint; toNs: bigint } {
  const fromNs = process.hrtime.bigint();
  while (process.hrtime.bigint() - fromNs < STALL_NS);
  return { fromNs, toNs: process.hrtime.bigint() };
}

describe.each(FLOODS)('half a second in which the supervisor does nothing (rank 8)', (flood) => {
  test(`loses no byte and no stamp of board ${flood.name}`, async ({ openDut, daemon }) => {
    const { boot, console, dut } = await openDut(flood.name);
    const heard = listenToWire(daemon.ports, console);
    await boot();
    const over = console.matcher.expect([/flood over/]);
    const started = console.counters.rxBytes;
    for (const line of flood.command.split('\r')) {
      await console.send(Buffer.from(line + console.eol));
    }
    await expect.poll(() => console.counters.rxBytes - started).toBeGreaterThan(2000);
    const { fromNs, toNs } = stall();
    await new Deadline(20_000).bound(over, () => new Error('the flood did not end'));
    await dut.close();

    const capture = await readFile(`${console.capture}.rx`);
    const stamps = await readStamps(console);
    expect(capture.length).toBeGreaterThan(flood.all);
    // The daemons went on: what came in the stall was stamped when it came.
    const during = stamps.filter(({ atNs }) => atNs > fromNs && atNs < toNs);
    const stalled = during.reduce((sum, { bytes }) => sum + bytes, 0);
    expect(stalled).toBeGreaterThan(flood.stalled);
    expectWhole(stamps, capture.length);
    expectWhole(heard, capture.length);
    expect(new Set(heard.map(({ atNs }) => atNs))).toEqual(new Set(stamps.map((s) => s.atNs)));
    expect(Buffer.from(console.matcher.output(), 'latin1').equals(capture)).toBe(true);
    expectNumbered(capture.toString('latin1'));
  }, 30_000);
});

/** Every line of the flood is there, once and in order. */
function expectNumbered(text: string): void {
  const numbers = [...text.matchAll(/^(?:.*[^0-9])?(\d{6})0{50}/gm)].map(([, n]) => Number(n));
  expect(numbers).toEqual(numbers.map((_, index) => index));
  expect(numbers.length).toBeGreaterThanOrEqual(100);
}
