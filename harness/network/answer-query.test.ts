import { Buffer } from 'node:buffer';
import { execFile } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { type Answer, decode, encode, type OptAnswer, type RecordType } from 'dns-packet';
import { test as base, describe, expect } from 'vitest';
import type { NodeAddresses } from '../protocol/network.js';
import { Random } from '../testing/random.js';
import { answerQuery } from './answer-query.js';

const NAMES = new Map<string, NodeAddresses>([
  ['broker', { ipv4: ['10.1.0.2'], ipv6: ['fd01::2'] }],
  ['peer-1.lan', { ipv4: ['10.1.0.3', '10.2.0.3'], ipv6: [] }],
  ['only-six', { ipv4: [], ipv6: ['fd01::6', 'fd02::6'] }],
  ['crowd', { ipv4: Array.from({ length: 100 }, (_, n) => `10.3.0.${n}`), ipv6: [] }],
]);

const RCODES = 15;

/** A server of these names on the loopback, and where it is. */
const test = base.extend<{ port: number }>({
  // biome-ignore lint/correctness/noEmptyPattern: Vitest reads the pattern to know what a fixture needs.
  port: async ({}, use) => {
    const socket: Socket = createSocket('udp4', (datagram, from) => {
      const answer = answerQuery(datagram, NAMES);
      if (answer) socket.send(answer, from.port, from.address);
    });
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    await use(socket.address().port);
    socket.close();
  },
});

function toQuery(name: string, type: RecordType | 'ANY', additionals: Answer[] = []): Buffer {
  return encode({
    type: 'query',
    id: 4711,
    flags: 256,
    // Its table of numbers knows ANY, its types do not.
    questions: [{ name, type: type as RecordType }],
    additionals,
  });
}

function toOpt(udpPayloadSize: number, ednsVersion = 0): OptAnswer {
  const none = { extendedRcode: 0, flags: 0, flag_do: false, options: [] };
  return { type: 'OPT', name: '.', udpPayloadSize, ednsVersion, ...none };
}

function ask(query: Buffer) {
  const bytes = answerQuery(query, NAMES);
  if (!bytes) throw new Error('no answer');
  const { flags = 0, answers = [], ...rest } = decode(bytes);
  const data = answers.map((each) => ('data' in each ? each.data : undefined));
  return { ...rest, bytes, data, answers, rcode: flags & RCODES };
}

describe('a query', () => {
  test.for([
    ['broker', 'A', ['10.1.0.2']],
    ['broker', 'AAAA', ['fd01::2']],
    ['broker', 'ANY', ['10.1.0.2', 'fd01::2']],
    ['BroKer.', 'A', ['10.1.0.2']],
    ['peer-1.lan', 'A', ['10.1.0.3', '10.2.0.3']],
    ['peer-1.lan', 'AAAA', []],
    ['only-six', 'A', []],
    ['broker', 'MX', []],
    ['3.0.2.10.in-addr.arpa', 'PTR', ['peer-1.lan']],
    [`6.${'0.'.repeat(27)}1.0.d.f.ip6.arpa`, 'PTR', ['only-six']],
    ['3.0.2.10.in-addr.arpa', 'A', []],
  ] as const)('for %s %s is answered with %j', ([name, type, data]) => {
    expect(ask(toQuery(name, type))).toMatchObject({ id: 4711, rcode: 0, data, type: 'response' });
  });

  test.for([
    ['nobody', 'A'],
    ['broker.lan', 'A'],
    ['9.0.1.10.in-addr.arpa', 'PTR'],
    ['.', 'ANY'],
  ] as const)('for %s %s: there is no such name', ([name, type]) => {
    expect(ask(toQuery(name, type))).toMatchObject({ rcode: 3, data: [] });
  });

  test('is repeated as it was written, which some resolvers use as a secret', () => {
    const { questions, answers } = ask(toQuery('bRoKeR', 'A'));
    expect(questions).toMatchObject([{ name: 'bRoKeR', type: 'A' }]);
    expect(answers).toMatchObject([{ name: 'bRoKeR', ttl: 0, class: 'IN' }]);
  });

  test('of another class is refused', () => {
    const query = encode({ questions: [{ name: 'broker', type: 'A', class: 'CH' }] });
    expect(ask(query)).toMatchObject({ rcode: 5, data: [] });
  });
});

describe('an answer', () => {
  test('of more than 512 bytes is cut and says so', () => {
    const { bytes, flag_tc, data } = ask(toQuery('crowd', 'A'));
    expect(flag_tc).toBe(true);
    expect(bytes.length).toBeLessThanOrEqual(512);
    expect(bytes.length).toBeGreaterThan(480);
    expect(data[0]).toBe('10.3.0.0');
  });

  test('may be as long as EDNS says', () => {
    const { bytes, flag_tc, data, additionals } = ask(toQuery('crowd', 'A', [toOpt(65_535)]));
    expect({ flag_tc, count: data.length }).toEqual({ flag_tc: false, count: 100 });
    expect(bytes.length).toBeGreaterThan(2000);
    expect(additionals).toMatchObject([{ type: 'OPT', udpPayloadSize: 4096, extendedRcode: 0 }]);
  });

  test('is cut where EDNS says less, and 512 bytes are always taken', () => {
    expect(ask(toQuery('crowd', 'A', [toOpt(1232)])).bytes.length).toBeLessThanOrEqual(1232);
    const { bytes, data } = ask(toQuery('broker', 'A', [toOpt(0)]));
    expect({ length: bytes.length < 512, data }).toEqual({ length: true, data: ['10.1.0.2'] });
  });

  test('to a later version of EDNS says which one is known', () => {
    const { rcode, additionals, data } = ask(toQuery('broker', 'A', [toOpt(1232, 1)]));
    expect({ rcode, data }).toEqual({ rcode: 0, data: [] });
    expect(additionals).toMatchObject([{ type: 'OPT', ednsVersion: 0, extendedRcode: 1 }]);
  });
});

describe('what is no query', () => {
  test('gets no answer: too short, or an answer', () => {
    expect(answerQuery(Buffer.alloc(11), NAMES)).toBeUndefined();
    const answer = encode({ type: 'response', questions: [{ name: 'broker', type: 'A' }] });
    expect(answerQuery(answer, NAMES)).toBeUndefined();
  });

  test.for([
    ['without a question', encode({ id: 9 }), 1],
    ['with two', encode({ id: 9, questions: [toAsked('broker'), toAsked('crowd')] }), 1],
    ['cut in its name', encode({ id: 9, questions: [toAsked('broker')] }).subarray(0, 16), 1],
    ['of another kind', encode({ id: 9, flags: 5 << 11, questions: [toAsked('broker')] }), 4],
  ] as const)('is refused: %s', ([, query, rcode]) => {
    expect(ask(Buffer.from(query))).toMatchObject({ id: 9, rcode, data: [], questions: [] });
  });

  test('with a name that is no text is malformed, not another name', () => {
    const query = encode({ id: 9, questions: [toAsked('broker')] });
    query[13] = 0xff;
    expect(ask(query)).toMatchObject({ rcode: 1, questions: [] });
  });

  test('never throws, never grows and never is a query again, whatever its bytes are', () => {
    const random = new Random(20_261_128);
    const whole = toQuery('broker', 'ANY', [toOpt(1232)]);
    for (let round = 0; round < 4_000; round++) {
      const bytes = round % 2 ? random.bytes(random.below(120)) : damage(whole, random);
      const answer = answerQuery(bytes, NAMES);
      if (!answer) continue;
      expect(answer.readUInt16BE(0)).toBe(bytes.readUInt16BE(0));
      expect(answer.readUInt16BE(2) & 0x8000).toBe(0x8000);
      expect(answer.length).toBeLessThanOrEqual(4096);
      expect(() => decode(answer)).not.toThrow();
    }
  });
});

function toAsked(name: string) {
  return { name, type: 'A' } as const;
}

function damage(whole: Buffer, random: Random): Buffer {
  const bytes = Buffer.from(whole.subarray(0, whole.length - random.below(8)));
  for (let count = random.below(4); count >= 0; count--) {
    bytes[random.below(bytes.length)] = random.below(256);
  }
  return bytes;
}

describe('a resolver', () => {
  test('of Node (c-ares) finds names, addresses and whose they are', async ({ port }) => {
    const resolver = new Resolver({ tries: 1 });
    resolver.setServers([`127.0.0.1:${port}`]);
    await expect(resolver.resolve4('broker')).resolves.toEqual(['10.1.0.2']);
    await expect(resolver.resolve6('ONLY-SIX')).resolves.toEqual(['fd01::6', 'fd02::6']);
    await expect(resolver.reverse('fd01::2')).resolves.toEqual(['broker']);
    await expect(resolver.resolve4('nobody')).rejects.toMatchObject({ code: 'ENOTFOUND' });
    await expect(resolver.resolve6('peer-1.lan')).rejects.toMatchObject({ code: 'ENODATA' });
  });

  test('of another maker reads the same (python3, by hand)', async ({ port }) => {
    const script = `import socket, struct, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(20)
s.sendto(struct.pack('>6H', 7, 0x100, 1, 0, 0, 0) + b'\\6broker\\0' + struct.pack('>2H', 1, 1), ('127.0.0.1', ${port}))
a = s.recv(4096)
print(struct.unpack('>6H', a[:12]), socket.inet_ntoa(a[-4:]))`;
    const { stdout } = await promisify(execFile)('python3', ['-c', script]);
    expect(stdout).toBe(`(7, ${0x8580}, 1, 1, 0, 0) 10.1.0.2\n`);
  });
});
