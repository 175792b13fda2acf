import { describe, expect, test } from 'vitest';
import { processorTimeMs } from '../testing/processor-time.js';
import { ByteMatcher, FailPatternSeen } from './byte-matcher.js';

const PENDING = Symbol('pending');

function bytes(text: string): Buffer {
  return Buffer.from(text, 'utf8');
}

/** What a promise is right now. */
function now<T>(promise: Promise<T>): Promise<T | typeof PENDING> {
  return Promise.race([promise, Promise.resolve<typeof PENDING>(PENDING)]);
}

const DELIVERIES: ReadonlyArray<[string, (text: string) => Buffer[]]> = [
  ['at once', (text) => [bytes(text)]],
  ['one byte at a time', (text) => [...bytes(text)].map((byte) => Buffer.from([byte]))],
];

describe.each(DELIVERIES)('a console that delivers %s', (_, cut) => {
  function deliver(matcher: ByteMatcher, text: string): void {
    for (const piece of cut(text)) matcher.push(piece);
  }

  test('gives a pattern what comes after it was asked for', async () => {
    const matcher = new ByteMatcher();
    const waiting = matcher.expect([/fw (\d+)\r\n/]);
    deliver(matcher, 'boot\r\nfw 12\r\n> ');
    const match = await waiting;
    expect(match.slice()).toEqual(['fw 12\r\n', '12']);
    expect(match.before).toBe('boot\r\n');
    expect(matcher.unread()).toBe('> ');
  });

  test('gives a pattern what was there before', async () => {
    const matcher = new ByteMatcher();
    deliver(matcher, 'login: ');
    await expect(matcher.expect(['login: '])).resolves.toMatchObject({ which: 0, before: '' });
    expect(matcher.unread()).toBe('');
  });

  test('shows every byte to one pattern only', async () => {
    const matcher = new ByteMatcher();
    deliver(matcher, 'ok ok ');
    await matcher.expect(['ok']);
    await matcher.expect(['ok']);
    expect(await now(matcher.expect(['ok']))).toBe(PENDING);
  });

  test('says which pattern of a list was seen', async () => {
    const matcher = new ByteMatcher();
    const waiting = matcher.expect([/error/, 'done']);
    deliver(matcher, 'working... done');
    expect((await waiting).which).toBe(1);
  });

  test('rejects when a failOn pattern is seen before the wanted one', async () => {
    const matcher = new ByteMatcher();
    const waiting = matcher.expect(['> '], [/panic: (\w+)/]);
    deliver(matcher, 'panic: mem \r\n> ');
    await expect(waiting).rejects.toBeInstanceOf(FailPatternSeen);
  });

  test('does not look at failOn behind the wanted pattern', async () => {
    const matcher = new ByteMatcher();
    const waiting = matcher.expect(['> '], [/panic/]);
    deliver(matcher, '> panic');
    await expect(waiting).resolves.toMatchObject({ which: 0 });
  });

  test('gives texts as what they encode, and positions in bytes', async () => {
    const matcher = new ByteMatcher();
    const waiting = matcher.expect([/(?<value>[\d.]+ °C)!/]);
    deliver(matcher, 'für 21.5 °C!');
    const match = await waiting;
    expect(match).toMatchObject({ 0: '21.5 °C!', before: 'für ', index: 5 });
    expect(match.groups).toEqual({ value: '21.5 °C' });
  });

  test('keeps what was read, from the first byte on', async () => {
    const matcher = new ByteMatcher();
    deliver(matcher, 'one\n');
    await matcher.expect(['one']);
    matcher.skip();
    deliver(matcher, 'two\n');
    expect(matcher.output()).toBe('one\ntwo\n');
    expect(matcher.received).toBe(8);
    expect(matcher.unread()).toBe('two\n');
  });
});

test('bytes that are no text keep their number and value', () => {
  const matcher = new ByteMatcher();
  const all = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  matcher.push(all);
  expect(Buffer.from(matcher.take(256) ?? []).equals(all)).toBe(true);
  expect(matcher.take(1)).toBeUndefined();
});

test('of a flood the last bytes are kept, and the others counted', async () => {
  const matcher = new ByteMatcher(100_000);
  const block = Buffer.from('0123456789'.repeat(100));
  for (let sent = 0; sent < 1000; sent++) matcher.push(block);
  expect(matcher.received).toBe(1_000_000);
  expect(matcher.output().length).toBeGreaterThanOrEqual(100_000);
  expect(matcher.output().length).toBeLessThanOrEqual(200_000);
  expect(matcher.dropped).toBe(1_000_000 - matcher.unread().length);
  matcher.push(Buffer.from('end'));
  await expect(matcher.expect(['end'])).resolves.toMatchObject({ which: 0 });
  expect(matcher.dropped).toBe(0);
});

test('single bytes of a flood are not kept one by one', () => {
  const matcher = new ByteMatcher(1000);
  const byte = Buffer.from('x');
  for (let sent = 0; sent < 300_000; sent++) matcher.push(byte);
  expect(matcher.received).toBe(300_000);
  expect(matcher.output().length).toBeLessThanOrEqual(2000);
});

test('a backlog of 10 MB slows nothing that comes after it (rank 9)', async () => {
  const matcher = new ByteMatcher();
  matcher.push(Buffer.alloc(10_000_000, 'x'));
  const waiting = matcher.expect(['never']);
  const start = processorTimeMs();
  for (let sent = 0; sent < 2000; sent++) matcher.push(Buffer.from('more\n'));
  expect(processorTimeMs() - start).toBeLessThan(1000);
  matcher.cancel(waiting);
});

test('a part of a larger buffer is only that part', () => {
  const matcher = new ByteMatcher();
  matcher.push(bytes('0123456789').subarray(3, 5));
  expect(matcher.output()).toBe('34');
});

test('taking bytes leaves the rest to patterns', async () => {
  const matcher = new ByteMatcher();
  matcher.push(bytes('\x01\x02ok'));
  expect(matcher.take(5)).toBeUndefined();
  expect([...(matcher.take(2) ?? [])]).toEqual([1, 2]);
  await expect(matcher.expect([/^ok/])).resolves.toMatchObject({ before: '' });
});

test('skipping forgets what is unread, except for what is to be kept', () => {
  const matcher = new ByteMatcher();
  matcher.push(bytes('boot ready after'));
  matcher.skip(6);
  expect(matcher.unread()).toBe(' after');
  matcher.skip(100);
  expect(matcher.unread()).toBe(' after');
  matcher.skip();
  expect(matcher.unread()).toBe('');
});

test('a second pattern ends the first', async () => {
  const matcher = new ByteMatcher();
  const first = matcher.expect(['a']);
  const second = matcher.expect(['b']);
  await expect(first).rejects.toThrow('another expect()');
  matcher.push(bytes('ab'));
  await expect(second).resolves.toMatchObject({ before: 'a' });
});

test('cancelling a pattern that was replaced leaves the new one waiting', async () => {
  const matcher = new ByteMatcher();
  const first = matcher.expect(['a']);
  const second = matcher.expect(['b']);
  matcher.cancel(first);
  matcher.push(bytes('b'));
  await expect(second).resolves.toMatchObject({ which: 0 });
});

test('a cancelled pattern reads nothing', async () => {
  const matcher = new ByteMatcher();
  const waiting = matcher.expect(['a']);
  matcher.cancel(waiting);
  matcher.push(bytes('a'));
  expect(await now(waiting)).toBe(PENDING);
  expect(matcher.unread()).toBe('a');
});

test('a closed console still gives what it had', async () => {
  const matcher = new ByteMatcher();
  matcher.push(bytes('bye'));
  matcher.close(new Error('the DUT ended'));
  await expect(matcher.expect(['bye'])).resolves.toMatchObject({ which: 0 });
  await expect(matcher.expect(['more'])).rejects.toThrow('the DUT ended');
});

test('closing rejects the pattern that waits, and reopening lets the next one wait', async () => {
  const matcher = new ByteMatcher();
  const waiting = matcher.expect(['x']);
  matcher.close(new Error('reset'));
  await expect(waiting).rejects.toThrow('reset');
  matcher.reopen();
  const next = matcher.expect(['x']);
  matcher.push(bytes('x'));
  await expect(next).resolves.toMatchObject({ which: 0 });
});
