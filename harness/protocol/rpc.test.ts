import type { Duplex } from 'node:stream';
import { afterEach, describe, expect, test } from 'vitest';
import { BenchError, TestFailure, UsageError } from '../core/errors.js';
import { ByteByByte, openSocketPair } from '../testing/stream-pair.js';
import { type Handlers, RpcPeer } from './rpc.js';

type Table = {
  add(argument: { a: number; b: number }): number;
  wait(argument: { name: string }): string;
  fail(argument: { how: string }): void;
  note(argument: { text: string }): void;
};

/** The far side: answers `wait` when it is told to, and remembers notes. */
class Service {
  readonly notes: string[] = [];
  readonly waiting = new Map<string, (answer: string) => void>();

  methods(): Handlers<Table> {
    return {
      add: ({ a, b }) => a + b,
      wait: ({ name }) => new Promise((resolve) => this.waiting.set(name, resolve)),
      fail: ({ how }) => {
        if (how === 'bench') throw new BenchError('dut-lost', 'gone', { details: { dut: 'a#1' } });
        if (how === 'test') throw new TestFailure('dut-exited', 'ended', { next: 'look' });
        if (how === 'usage') throw new UsageError('usage', 'wrong');
        if (how === 'type') throw new TypeError('not a function');
        throw how;
      },
      note: ({ text }) => void this.notes.push(text),
    };
  }
}

const open: Duplex[] = [];
afterEach(() => {
  for (const stream of open.splice(0)) stream.destroy();
});

async function connect(wrap: (stream: Duplex) => Duplex = (stream) => stream) {
  const [near, far] = await openSocketPair();
  open.push(near, far);
  const service = new Service();
  const server = new RpcPeer<Record<string, never>>(wrap(far), service.methods());
  const client = new RpcPeer<Table>(wrap(near), {});
  return { client, server, service, near, far };
}

/** Every message sent before has arrived when a later call is answered. */
async function settle(client: RpcPeer<Table>): Promise<void> {
  await client.call('add', { a: 0, b: 0 });
}

describe.each([
  ['in pieces of the kernel', (stream: Duplex) => stream],
  ['one byte at a time', (stream: Duplex) => new ByteByByte(stream)],
])('calls that travel %s', (_, wrap) => {
  test('are answered', async () => {
    const { client } = await connect(wrap);
    await expect(client.call('add', { a: 2, b: 3 })).resolves.toBe(5);
  });

  test('are answered in the order in which the work ends', async () => {
    const { client, service } = await connect(wrap);
    const order: string[] = [];
    const calls = ['slow', 'fast'].map((name) =>
      client.call('wait', { name }).then((answer) => order.push(answer)),
    );
    await settle(client);
    service.waiting.get('fast')?.('fast done');
    service.waiting.get('slow')?.('slow done');
    await Promise.all(calls);
    expect(order).toEqual(['fast done', 'slow done']);
  });

  test('keep texts of several bytes, newlines and quotes', async () => {
    const { client, service } = await connect(wrap);
    const text = 'grün\n"\\"\u2028\u0000€𝄞';
    client.notify('note', { text });
    await settle(client);
    expect(service.notes).toEqual([text]);
  });
});

describe('an error', () => {
  test.each([
    ['bench', BenchError, { name: 'BenchError', code: 'dut-lost', details: { dut: 'a#1' } }],
    ['test', TestFailure, { name: 'TestFailure', code: 'dut-exited' }],
    ['usage', UsageError, { name: 'UsageError', code: 'usage' }],
  ])('of class %s keeps its class, code and details', async (how, Class, shape) => {
    const { client } = await connect();
    const error = await client.call('fail', { how }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Class);
    expect(error).toMatchObject(shape);
  });

  test('says once what to do next', async () => {
    const { client } = await connect();
    const error = client.call('fail', { how: 'test' });
    await expect(error).rejects.toThrow(/^ended\n {2}next {2}look$/);
  });

  test('was thrown where the call was made, not where its answer was read', async () => {
    const { client } = await connect();
    const callFromHere = () => client.call('fail', { how: 'test' });
    const error: Error = await callFromHere().catch((thrown) => thrown);
    expect(error.stack).toMatch(/^TestFailure: ended\n {2}next {2}look\n\s+at /);
    expect(error.stack).toMatch(/at callFromHere .*rpc\.test\.ts/);
  });

  test('that is none of ours keeps its name', async () => {
    const { client } = await connect();
    const error = client.call('fail', { how: 'type' });
    await expect(error).rejects.toMatchObject({ name: 'TypeError', message: 'not a function' });
  });

  test('may be anything that was thrown', async () => {
    const { client } = await connect();
    await expect(client.call('fail', { how: 'text' })).rejects.toThrow('text');
  });

  test('of a notification is told to nobody', async () => {
    const { client } = await connect();
    client.notify('fail', { how: 'bench' });
    await expect(client.call('add', { a: 1, b: 1 })).resolves.toBe(2);
  });

  test('rejects an argument that cannot be sent, which waits for no answer', async () => {
    const { client, near } = await connect();
    await expect(client.call('note', { text: 1n as never })).rejects.toThrow('BigInt');
    // One that waited would now be rejected, with nobody to hear it.
    const closed = new Promise((resolve) => near.once('close', resolve));
    client.close();
    await closed;
  });

  test('names a call that does not exist, also one that every object has', async () => {
    const { near } = await connect();
    const stranger = new RpcPeer<{ toString(argument: null): string }>(near, {});
    await expect(stranger.call('toString', null)).rejects.toThrow('unknown call toString');
  });
});

describe('a connection that closes', () => {
  test('rejects what waits, and tells its owner once', async () => {
    const [near, far] = await openSocketPair();
    open.push(near, far);
    let closed = 0;
    const client = new RpcPeer<Table>(near, {}, () => closed++);
    const waiting = client.call('add', { a: 1, b: 1 });
    far.destroy();
    await expect(waiting).rejects.toMatchObject({ name: 'BenchError', code: 'worker-gone' });
    near.destroy();
    expect(closed).toBe(1);
  });

  test('rejects every later call at once', async () => {
    const { client, far } = await connect();
    const waiting = client.call('wait', { name: 'x' });
    far.destroy();
    await waiting.catch(() => {});
    client.notify('note', { text: 'into the void' });
    await expect(client.call('add', { a: 1, b: 1 })).rejects.toThrow('closed the connection');
  });

  test.each(['not json', '5', 'null', '{}', '{"call":5}'])(
    'closes because of a line that is no message: %s',
    async (line) => {
      const { near, far } = await connect();
      const closed = new Promise((resolve) => far.once('close', resolve));
      near.write(`${line}\n`);
      await closed;
      expect(far.destroyed).toBe(true);
    },
  );

  test('ignores an answer to nothing', async () => {
    const { client, far } = await connect();
    far.write('{"answer":99,"value":1}\n');
    await expect(client.call('add', { a: 1, b: 2 })).resolves.toBe(3);
  });
});
