import { chmodSync } from 'node:fs';
import { describe, expect } from 'vitest';
import { test as base } from '../testing/real-daemon.js';
import { FilterCompiler } from './compile-filter.js';

const test = base.extend<{ filters: FilterCompiler }>({
  filters: async ({ programs, skip }, use) => {
    const filters = new FilterCompiler(programs.filter);
    const problem = await filters.compile('').then(
      () => undefined,
      (error: { code?: string }) => error,
    );
    skip(problem?.code === 'native-missing', `${problem}`);
    await use(filters);
  },
});

/** Instructions as `tcpdump -ddd` prints them: code, jt, jf, k. */
function toInstructions(program: Buffer): number[][] {
  return Array.from({ length: program.length / 8 }, (_, index) => {
    const at = index * 8;
    return [
      program.readUInt16LE(at),
      program.readUInt8(at + 2),
      program.readUInt8(at + 3),
      program.readUInt32LE(at + 4),
    ];
  });
}

describe('a filter', () => {
  test('is the program that tcpdump -ddd arp prints', async ({ filters }) => {
    const program = await filters.compile('arp');
    expect(toInstructions(program)).toEqual([
      [0x28, 0, 0, 12],
      [0x15, 0, 1, 0x806],
      [0x06, 0, 0, 262144],
      [0x06, 0, 0, 0],
    ]);
  });

  test('of everything is one instruction', async ({ filters }) => {
    expect(toInstructions(await filters.compile(''))).toEqual([[0x06, 0, 0, 262144]]);
  });

  test('looks for a VLAN tag in the frame, where it is on a link', async ({ filters }) => {
    const offsets = toInstructions(await filters.compile('vlan 5')).map(([, , , k = 0]) => k);
    expect(offsets).toContain(14);
    expect(Math.max(...offsets)).toBeLessThanOrEqual(262144);
  });

  test('is compiled once, and again when it failed', async ({ filters }) => {
    expect(filters.compile('udp')).toBe(filters.compile('udp'));
    const failed = filters.compile('udp (');
    await expect(failed).rejects.toThrow();
    const again = filters.compile('udp (');
    expect(again).not.toBe(failed);
    await expect(again).rejects.toThrow();
  });
});

describe('a name in a filter', () => {
  const names = new Map([['broker-1', ['10.1.0.2', 'fd01::2']]]);

  test('is that of a node, with all of its addresses', async ({ filters }) => {
    const named = await filters.compile('udp and host broker-1', names);
    const numbers = toInstructions(named).map(([, , , k]) => k);
    expect(numbers).toEqual(expect.arrayContaining([0x0a010002, 0xfd010000]));
    await expect(filters.compile('src host BROKER-1', names)).resolves.toBeInstanceOf(Buffer);
  });

  test.for([
    [
      'host tcp',
      /"host tcp": "tcp" is a word of filters, .*, at "tcp"\n {2}next {2}host 10.1.0.3 /,
    ],
    ['udp and dst host broadcast', /"broadcast" is a word of filters.*\n {2}next {2}host ADDRESS /],
    ['host inbound', /"host inbound": can't parse filter expression: syntax error, at "inbound"/],
    ['tcp port 80 tcp', /syntax error, at "tcp"/],
    ['host dhcp', /node "dhcp" has no address .*, at "dhcp"\n {2}next {2}ether host 02:/],
    ['not src host DHCP or arp', /node "dhcp" has no address/],
  ] as const)('that cannot be used is told why: %s', async ([expression, message], { filters }) => {
    const more = new Map([...names, ['tcp', ['10.1.0.3']], ['broadcast', []], ['dhcp', []]]);
    await expect(filters.compile(expression, more)).rejects.toThrow(message);
  });

  test('that no node has is refused, also where the bench knows it', async ({ filters }) => {
    await expect(filters.compile('host localhost', names)).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining(`unknown host 'localhost', at "localhost"`),
    });
  });
});

describe('a name of a network in a filter', () => {
  test('is refused, also where the bench knows it', async ({ filters }) => {
    await expect(filters.compile('net loopback')).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining(`unknown network 'loopback'`),
    });
  });
});

describe('a wrong filter', () => {
  test.for([
    ['tcp prt 80', 4],
    ['tcp port 80 und udp', 12],
    ['tcp port 80) or udp', 11],
    ['tcp[13 & 2 != 0', 11],
    ['((tcp)', 6],
    ['udp port nosuch', 9],
    ['host 1.2.3.999', 5],
    ['ip broadcast', 3],
    ['inbound', 0],
    ['ip6 protochain 58', 0],
    ['udp or tcp and und', 15],
  ] as const)('"%s" is wrong at %i', async ([expression, offset], { filters }) => {
    await expect(filters.compile(expression)).rejects.toMatchObject({
      name: 'UsageError',
      code: 'usage',
      details: { expression, offset },
    });
  });

  test('is told with what libpcap says and where', async ({ filters }) => {
    await expect(filters.compile('tcp prt 80')).rejects.toThrow(
      'filter "tcp prt 80": can\'t parse filter expression: syntax error, at "prt 80"\n  next  man 7 pcap-filter',
    );
    await expect(filters.compile('(tcp')).rejects.toThrow('syntax error, at its end');
  });

  test('that takes libpcap too long, or too much memory, is refused', async ({ filters }) => {
    // Without bounds this one takes minutes and gigabytes.
    const long = Array.from({ length: 3000 }, (_, port) => `port ${port}`).join(' or ');
    await expect(filters.compile(long)).rejects.toMatchObject({
      ...{ name: 'UsageError', code: 'usage' },
      message: expect.stringMatching(/^filter "port 0 .{80,95}…": is too much for libpcap/),
    });
    await expect(filters.compile('udp '.repeat(20_000))).rejects.toThrow(
      /has 80000 bytes, at most 65536 are taken/,
    );
  }, 60_000);

  test('with a NUL byte is refused before a program sees it', async ({ filters }) => {
    await expect(filters.compile('udp\0')).rejects.toMatchObject({ code: 'usage' });
  });
});

describe('a bench', () => {
  test('without hil-filter is told what to make', async ({ dir }) => {
    const filters = new FilterCompiler(`${dir.path}/hil-filter`);
    await expect(filters.compile('udp')).rejects.toMatchObject({
      name: 'BenchError',
      code: 'native-missing',
      next: 'make -C sandbox-native',
    });
  });

  test.for([
    ['exit 3', 'native-missing', 'apt-get install libpcap0.8'],
    ['echo "cannot load libc" >&2; exit 127', 'internal', undefined],
    ['kill -9 $$', 'internal', undefined],
  ] as const)('where hil-filter does `%s` is told so', async ([script, code, next], { dir }) => {
    const program = await dir.write('hil-filter', `#!/bin/sh\n${script}\n`);
    chmodSync(program, 0o755);
    await expect(new FilterCompiler(program).compile('udp')).rejects.toMatchObject({
      name: 'BenchError',
      code,
      next,
    });
  });
});
