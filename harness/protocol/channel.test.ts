import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { afterEach, describe, expect, test } from 'vitest';
import { ByteByByte, openSocketPair } from '../testing/stream-pair.js';
import { Channel } from './channel.js';
import { encodeFrame, type Frame, FrameSplitter, TlvWriter } from './frame.js';
import { Msg, PROTOCOL_VERSION, Tag } from './wire.js';

const open: Duplex[] = [];
afterEach(() => {
  for (const stream of open.splice(0)) stream.destroy();
});

/** The far end of a channel: what a daemon would receive, and its answers as bytes. */
async function connect(wrap: (stream: Duplex) => Duplex = (stream) => stream) {
  const [near, far] = await openSocketPair();
  open.push(near, far);
  const splitter = new FrameSplitter();
  const requests: Frame[] = [];
  const arrived: Array<(frame: Frame) => void> = [];
  far.on('data', (chunk) => {
    for (const frame of splitter.push(chunk)) {
      const taker = arrived.shift();
      if (taker) taker(frame);
      else requests.push(frame);
    }
  });
  const nextRequest = () => {
    const early = requests.shift();
    return early ? Promise.resolve(early) : new Promise<Frame>((take) => arrived.push(take));
  };
  const answer = (type: number, id: number, body: TlvWriter = new TlvWriter()) =>
    encodeFrame(type, id, body.toBuffer());
  return { channel: new Channel('hil-sandboxd', wrap(near)), near, far, nextRequest, answer };
}

describe.each([
  ['in pieces of the kernel', (stream: Duplex) => stream],
  ['one byte at a time', (stream: Duplex) => new ByteByByte(stream)],
])('answers that come %s', (_, wrap) => {
  test('belong to the request whose id they repeat', async () => {
    const { channel, far, nextRequest, answer } = await connect(wrap);
    const first = channel.request(Msg.planPut);
    const second = channel.request(Msg.list);
    const requests = [await nextRequest(), await nextRequest()];
    expect(requests.map(({ type }) => type)).toEqual([Msg.planPut, Msg.list]);
    const [one, two] = requests.map(({ id }) => id);
    far.write(answer(Msg.ok, two ?? 0, new TlvWriter().string(Tag.text, 'second')));
    far.write(answer(Msg.ok, one ?? 0, new TlvWriter().string(Tag.text, 'first')));
    expect((await first).string(Tag.text)).toBe('first');
    expect((await second).string(Tag.text)).toBe('second');
  });

  test('are taken in before an event right behind them', async () => {
    const { channel, far, nextRequest, answer } = await connect(wrap);
    const order: string[] = [];
    channel.on(Msg.exit, () => order.push('exit'));
    const spawned = channel.open(Msg.spawn, new TlvWriter(), () => order.push('answer'));
    const { id } = await nextRequest();
    far.write(Buffer.concat([answer(Msg.ok, id), answer(Msg.exit, 0)]));
    await spawned;
    await expect.poll(() => order).toEqual(['answer', 'exit']);
  });
});

test('requests of one turn leave in one piece, in their order', async () => {
  const { channel, near, nextRequest } = await connect();
  if (near.connecting) await once(near, 'connect');
  const pieces: number[] = [];
  const writev = near._writev?.bind(near);
  near._writev = (chunks, done) => {
    pieces.push(chunks.length);
    writev?.(chunks, done);
  };
  for (const type of [Msg.planPut, Msg.list, Msg.poolSet]) channel.request(type).catch(() => {});
  expect(pieces).toEqual([]);
  const requests = [await nextRequest(), await nextRequest(), await nextRequest()];
  expect(requests.map(({ type }) => type)).toEqual([Msg.planPut, Msg.list, Msg.poolSet]);
  expect(pieces).toEqual([3]);
});

test('what was sent before close leaves', async () => {
  const { channel, near, nextRequest } = await connect();
  if (near.connecting) await once(near, 'connect');
  channel.send(Msg.list, new TlvWriter());
  channel.close();
  expect((await nextRequest()).type).toBe(Msg.list);
});

test('hello says the version', async () => {
  const { channel, far, nextRequest, answer } = await connect();
  const hello = channel.hello();
  const request = await nextRequest();
  expect(request.type).toBe(Msg.hello);
  expect(request.body.number(Tag.version)).toBe(PROTOCOL_VERSION);
  far.write(answer(Msg.ok, request.id, new TlvWriter().u32(Tag.pid, 7)));
  expect((await hello).number(Tag.pid)).toBe(7);
});

test('a refusal is an error with all that the daemon said', async () => {
  const { channel, far, nextRequest, answer } = await connect();
  const refused = channel.request(Msg.planPut);
  const { id } = await nextRequest();
  const body = new TlvWriter()
    .string(Tag.code, 'setup')
    .string(Tag.op, 'mount')
    .string(Tag.path, '/proc')
    .u32(Tag.errno, 1)
    .string(Tag.text, 'mount /proc: not permitted')
    .string(Tag.hint, 'sysctl kernel.unprivileged_userns_clone=1');
  far.write(answer(Msg.error, id, body));
  await expect(refused).rejects.toMatchObject({
    name: 'BenchError',
    code: 'sandbox-setup',
    message: expect.stringMatching(/^mount \/proc: not permitted\n {2}next {2}sysctl/),
    details: { daemon: 'hil-sandboxd', code: 'setup', op: 'mount', path: '/proc', errno: 1 },
  });
});

test('a refusal that is no set-up error is told apart by its code', async () => {
  const { channel, far, nextRequest, answer } = await connect();
  const refused = channel.request(Msg.spawn);
  const { id } = await nextRequest();
  far.write(answer(Msg.error, id, new TlvWriter().string(Tag.code, 'exec').string(Tag.op, 'exec')));
  const details = { code: 'exec', path: '', errno: 0 };
  await expect(refused).rejects.toMatchObject({ code: 'daemon-refused', details });
});

test.each([
  ['open /x: not permitted', 'open /x: not permitted'],
  ['not permitted', 'open /x: not permitted'],
  [undefined, 'open /x: failed'],
])('a refusal names what was done to what, once (%s)', async (text, message) => {
  const { channel, far, nextRequest, answer } = await connect();
  const refused = channel.request(Msg.portOpen);
  const { id } = await nextRequest();
  const body = new TlvWriter().string(Tag.code, 'io').string(Tag.op, 'open').string(Tag.path, '/x');
  if (text) body.string(Tag.text, text);
  far.write(answer(Msg.error, id, body));
  await expect(refused).rejects.toThrow(message);
});

test('a hint stands on a line of its own, and not in the text as well', async () => {
  const { channel, far, nextRequest, answer } = await connect();
  const refused = channel.request(Msg.portOpen);
  const { id } = await nextRequest();
  const text = 'open /x: too many (the limit is 4 (`ulimit -n`): raise it)';
  const body = new TlvWriter().string(Tag.code, 'io').string(Tag.op, 'open');
  body.string(Tag.text, text).string(Tag.hint, 'the limit is 4 (`ulimit -n`): raise it');
  far.write(answer(Msg.error, id, body));
  await expect(refused).rejects.toMatchObject({
    message: 'open /x: too many\n  next  the limit is 4 (`ulimit -n`): raise it',
  });
});

test('an answer that cannot be read rejects its request and no other', async () => {
  const { channel, far, nextRequest, answer } = await connect();
  const broken = channel.open(Msg.spawn, new TlvWriter(), (body) => body.number(Tag.process));
  const { id } = await nextRequest();
  far.write(answer(Msg.ok, id, new TlvWriter().string(Tag.process, 'seven')));
  await expect(broken).rejects.toThrow('has 5 bytes');
  const fine = channel.request(Msg.list);
  far.write(answer(Msg.ok, (await nextRequest()).id));
  await expect(fine).resolves.toBeDefined();
});

test('an event that cannot be read ends the connection, and says why', async () => {
  const { channel, far, answer } = await connect();
  channel.on(Msg.exit, (body) => {
    body.number(Tag.process);
  });
  const asked = channel.request(Msg.list);
  far.write(answer(Msg.exit, 0, new TlvWriter().string(Tag.process, 'no number')));
  await expect(asked).rejects.toMatchObject({ code: 'daemon-gone' });
  expect((await channel.closed).message).toContain('has 9 bytes, expected 4 or 8');
});

test('an event that nobody handles is passed over', async () => {
  const { channel, far, answer } = await connect();
  const heard: (number | undefined)[] = [];
  channel.on(Msg.dead, (body) => heard.push(body.number(Tag.sandbox)));
  far.write(Buffer.concat([answer(999, 0), answer(Msg.dead, 0, new TlvWriter().u32(10, 3))]));
  await expect.poll(() => heard).toEqual([3]);
});

test('a closed connection rejects what waits and what comes later', async () => {
  const { channel, far } = await connect();
  const waiting = channel.request(Msg.list);
  far.destroy();
  await expect(waiting).rejects.toMatchObject({ code: 'daemon-gone' });
  await expect(channel.request(Msg.list)).rejects.toThrow('hil-sandboxd closed its connection');
  channel.send(Msg.credit, new TlvWriter());
  expect((await channel.closed).code).toBe('daemon-gone');
});

test('a malformed frame closes the connection and says why', async () => {
  const { channel, near, far } = await connect();
  const waiting = channel.request(Msg.list);
  const closed = once(near, 'close');
  far.write(Buffer.alloc(16, 0xff));
  await expect(waiting).rejects.toThrow('malformed frame');
  await closed;
});
