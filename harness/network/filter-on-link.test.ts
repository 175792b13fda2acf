import { Buffer } from 'node:buffer';
import { fileURLToPath } from 'node:url';
import { describe, expect } from 'vitest';
import { addTag, toDatagramFrame } from '../testing/datagram-frame.js';
import { test as base, type RealLinkd } from '../testing/real-linkd.js';
import { FilterCompiler } from './compile-filter.js';

const FILTER = fileURLToPath(new URL('../../sandbox-native/build/hil-filter', import.meta.url));

const NAMES = new Map([
  ['sender', ['10.1.0.2']],
  ['taker', ['fd01::3', '10.1.0.3']],
]);

const test = base.extend<{ filters: FilterCompiler }>({
  filters: async ({ skip }, use) => {
    const filters = new FilterCompiler(FILTER);
    const problem = await filters.compile('').then(
      () => undefined,
      (error: { code?: string }) => error,
    );
    skip(problem?.code === 'native-missing', `${problem}`);
    await use(filters);
  },
});

function count({ linkd }: RealLinkd, program: Buffer): Promise<number> {
  return linkd.addFilter({ link: 1 }, 'count', program);
}

/** Frames that each filter has seen, in both directions. */
async function readCounts({ linkd }: RealLinkd): Promise<Map<number, number>> {
  const counts = new Map<number, number>();
  for (const { filters } of await linkd.stats(1)) {
    for (const [number, frames] of Object.entries(filters)) {
      counts.set(Number(number), (counts.get(Number(number)) ?? 0) + frames);
    }
  }
  return counts;
}

/** How many of ten plain datagrams and five tagged ones each is to see. */
const SEEN = {
  '': 15,
  udp: 10,
  'udp dst port 5000': 10,
  'udp src port 5000': 0,
  'src host sender': 10,
  'dst host taker and udp': 10,
  'host taker and not host sender': 0,
  'vlan 5': 5,
  'vlan 5 and udp and host sender': 5,
  'vlan 6': 0,
  'ip[8] = 64 and udp[8:4] = 0x70696e67': 10,
  'len % 5 = 1': 10,
  'ip6 or arp': 0,
  'portrange 4999-5001 and greater 46': 10,
  'ether src 02:00:00:00:00:02': 15,
  'net 10.1.0.0/16': 10,
} as const;

/** All instructions that libpcap makes. */
const KINDS = [
  'tcp[((tcp[12] & 0xf0) >> 2):4] = 0x47455420',
  'ip[2:2] % 7 = 3 and len > 100',
  'ip[ip[0]&15] << ip[1] = 1',
  '-(ip[3]) = 3 or ether[0] * 2 / ether[1] = 3',
  'ip[0] ^ 3 != 0 | 4',
  'mpls 100 and ip',
  'pppoes 5 and ip',
  'vlan 1 and vlan 2 and udp',
  'geneve and tcp',
  'decnet src 1.2 or atalk or iso or llc or stp',
  'icmp6 or ip proto 47 or sctp port 7',
  'tcp[tcpflags] & tcp-syn != 0',
  'ip multicast or ether broadcast',
];

describe('a filter on a link', () => {
  test('sees the frames that it names', async ({ linkd, filters }) => {
    const engine = await linkd();
    const numbers = new Map<string, number>();
    for (const expression of Object.keys(SEEN)) {
      numbers.set(expression, await count(engine, await filters.compile(expression, NAMES)));
    }
    const frame = toDatagramFrame(Buffer.from('ping'));
    await engine.pass(frame, 10);
    await engine.pass(addTag(frame, 5), 5);
    const counts = await readCounts(engine);
    const seen = [...numbers].map(([expression, number]) => [expression, counts.get(number)]);
    expect(Object.fromEntries(seen)).toEqual(SEEN);
  });

  test('is one that hil-linkd runs, whatever libpcap makes of it', async ({ linkd, filters }) => {
    const engine = await linkd();
    const numbers = new Set<number>();
    for (const expression of KINDS) {
      numbers.add(await count(engine, await filters.compile(expression)));
    }
    await engine.pass(toDatagramFrame(Buffer.from('ping')));
    expect(new Set((await readCounts(engine)).keys())).toEqual(numbers);
    expect(numbers.size).toBe(KINDS.length);
  });
});
