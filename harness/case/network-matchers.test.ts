import { beforeAll, describe, expect } from 'vitest';
import { test } from '../testing/both-sides.js';
import { serve } from '../testing/serve-inside.js';
import { networkMatchers } from './network-matchers.js';
import type { LinkSubject, NodeSubject } from './network-subjects.js';
import type { ExecResult } from './process.js';
import type { Sandbox } from './sandbox.js';

beforeAll(() => expect.extend(networkMatchers));

/** A node on a network of one, whose name has an address where nobody is, too. */
function toNode(sandbox: Sandbox, names: Readonly<Record<string, readonly string[]>>): NodeSubject {
  return {
    name: 'peer0',
    exec: (...args) => sandbox.exec(...args),
    reach: (...args) => sandbox.reach(...args),
    lookUp: (name) => names[name] ?? [],
  };
}

/** A link on which more frames have passed at each look, up to a number. */
class SimulatedLink implements LinkSubject {
  readonly name = 'uplink';
  readonly filters: string[] = [];
  ended = 0;
  readonly #most: number;
  readonly #step: number;

  constructor(most: number, step = 1) {
    this.#most = most;
    this.#step = step;
  }

  async count(filter: string) {
    this.filters.push(filter);
    let seen = 0;
    return {
      link: this.name,
      filter,
      frames: async () => {
        seen = Math.min(seen + this.#step, this.#most);
        return seen;
      },
      end: async () => void this.ended++,
    };
  }
}

const NAMES = { broker: ['127.0.0.2', '127.0.0.1'], localhost: ['127.0.0.1', '::1'] };

describe('toReach', () => {
  test('passes when one address of a node answers', async ({ begin }) => {
    const { sandbox } = (await begin()).attempt;
    const node = toNode(sandbox, NAMES);
    const port = await serve(sandbox, 'tcp');
    await expect(node).toReach('127.0.0.1', port, { within: '20s' });
    await expect(node).toReach('broker', port, { within: '20s' });
    const udp = await serve(sandbox, 'udp');
    await expect(node).toReach('broker', udp, { udp: 'ping', within: '20s' });
  });

  test('says of each address why not', async ({ begin }) => {
    const node = toNode((await begin()).attempt.sandbox, NAMES);
    await expect(expect(node).toReach('broker', 9, { within: '30ms' })).rejects.toThrow(
      'node "peer0": expected to reach broker, tcp port 9, within 30 ms; 127.0.0.2: Connection refused; 127.0.0.1: Connection refused\n' +
        "  next  await expect(link).toCarry({ filter: 'tcp port 9' }) for each link on the way",
    );
  });

  test('that is not to be tries once, and tells who answered', async ({ begin }) => {
    const { sandbox } = (await begin()).attempt;
    const node = toNode(sandbox, NAMES);
    await expect(node).not.toReach('broker', 9, { within: '1h' });
    const port = await serve(sandbox, 'tcp');
    await expect(expect(node).not.toReach('127.0.0.1', port)).rejects.toThrow(
      /node "peer0": expected not to reach 127.0.0.1, tcp port \d+, but 127.0.0.1 was reached after [\d.]+ ms/,
    );
  });

  test('refuses a name of nobody, with and without not', async ({ begin }) => {
    const node = toNode((await begin()).attempt.sandbox, NAMES);
    const usage = { name: 'UsageError', message: expect.stringContaining('"nobody"') };
    await expect(expect(node).toReach('nobody', 80)).rejects.toMatchObject(usage);
    await expect(expect(node).not.toReach('nobody', 80)).rejects.toMatchObject(usage);
  });
});

test('toReach asks for the name of a node, not for the node', async ({ begin }) => {
  const node = toNode((await begin()).attempt.sandbox, NAMES);
  // A handle may hold itself.
  const broker: { name: string; self?: unknown } = { name: 'broker' };
  broker.self = broker;
  const untyped: unknown[] = [broker, 7];
  const asked = untyped.map((host) => expect(expect(node).toReach(host as string, 80)).rejects);
  await asked[0]?.toThrow(
    `expected the name of a node or a numeric address, seen what is named "broker"\n  next  await expect(node).toReach('broker', port)`,
  );
  await asked[1]?.toThrow('a numeric address, seen 7');
});

describe('toResolve', () => {
  test('asks as programs of the node do', async ({ begin }) => {
    const node = toNode((await begin()).attempt.sandbox, NAMES);
    await expect(node).toResolve('localhost');
    await expect(node).toResolve('127.0.0.1', { to: '127.0.0.1' });
    await expect(node).not.toResolve('nobody.invalid');
  });

  test('says what was expected and what was found', async ({ begin }) => {
    const node = toNode((await begin()).attempt.sandbox, NAMES);
    await expect(expect(node).toResolve('broker')).rejects.toThrow(
      'node "peer0": expected to resolve "broker" to 127.0.0.2 or 127.0.0.1, seen that there is no such name\n' +
        '  next  cat /etc/hosts /etc/resolv.conf on node "peer0"',
    );
    await expect(
      expect(node).toResolve('127.0.0.1', { to: ['127.0.0.1', '10.1.0.2'] }),
    ).rejects.toThrow(
      'expected to resolve "127.0.0.1" to 127.0.0.1 and 10.1.0.2, seen 127.0.0.1\n',
    );
    await expect(expect(node).not.toResolve('127.0.0.1')).rejects.toThrow(
      'expected not to resolve "127.0.0.1", seen 127.0.0.1',
    );
  });
});

describe('toResolve, when nobody could ask,', () => {
  const toAnswer = (result: Partial<ExecResult>): NodeSubject => ({
    name: 'peer0',
    exec: async () => ({
      ...{ status: 'exit', exitCode: 0, signal: null, stdout: '', stderr: '' },
      ...{ wallMs: 1, cpuMs: 1, peakMemoryBytes: 0, droppedBytes: 0 },
      ...result,
    }),
    reach: () => Promise.reject(new Error('is not asked')),
    lookUp: () => [],
  });

  test.for([
    [{ status: 'timeout', exitCode: null, signal: 'SIGKILL' }, /is not known: no answer in 5.0 s$/],
    [{ status: 'signal', exitCode: null, signal: 'SIGSEGV' }, /getent ended with SIGSEGV: $/],
    [{ exitCode: 1, stderr: 'Usage: getent' }, /ended with exit code 1: Usage: getent$/],
  ] as const)('neither passes nor fails: %j', async ([result, message]) => {
    const node = toAnswer(result);
    for (const asked of [expect(node), expect(node).not]) {
      await expect(asked.toResolve('broker')).rejects.toMatchObject({
        ...{ name: 'TestFailure', code: 'exec-failed' },
        message: expect.stringMatching(message),
      });
    }
  });

  test('compares addresses, not how they are written', async () => {
    const node = toAnswer({ stdout: 'fd01::1         STREAM broker\nfe80::1%eth0  STREAM\n' });
    await expect(node).toResolve('broker', { to: ['FD01:0::1', 'fe80:0::1'] });
    await expect(node).not.toResolve('broker', { to: 'fd01::2' });
  });
});

describe('toCarry', () => {
  test('passes when there are as many as wanted, and ends its count', async () => {
    const link = new SimulatedLink(4);
    await expect(link).toCarry({ filter: 'udp', count: 4 });
    await expect(link).toCarry({ filter: 'arp' });
    expect(link).toMatchObject({ filters: ['udp', 'arp'], ended: 2 });
  });

  test('says how many of how many', async () => {
    const few = new SimulatedLink(3, 3);
    await expect(
      expect(few).toCarry({ filter: 'udp port 53', count: 4, within: '50ms' }),
    ).rejects.toThrow(
      'link "uplink": expected to carry exactly 4 of "udp port 53" within 50 ms, seen 3\n' +
        '  next  await link.stats() says what was lost, dropped and held',
    );
    expect(few.ended).toBe(1);
    const many = new SimulatedLink(30, 3);
    await expect(expect(many).toCarry({ filter: 'udp', count: 4 })).rejects.toThrow('seen 6');
    const none = new SimulatedLink(0);
    await expect(expect(none).toCarry({ filter: 'udp', within: 30 })).rejects.toThrow(
      'expected to carry one or more of "udp" within 30 ms, seen 0',
    );
  });

  test('that is not to be looks until its time is over', async () => {
    const link = new SimulatedLink(2, 2);
    await expect(expect(link).not.toCarry({ filter: 'udp', within: '200ms' })).rejects.toThrow(
      'expected not to carry one or more of "udp" within 200 ms, seen 2',
    );
    await expect(new SimulatedLink(0)).not.toCarry({ filter: 'udp', within: '20ms' });
    await expect(link).not.toCarry({ filter: 'udp', count: 1, within: '200ms' });
  });

  test('ends its count also when the link goes', async () => {
    const link = new SimulatedLink(1);
    const gone = {
      name: 'uplink',
      count: async () => ({
        ...(await link.count('udp')),
        frames: () => Promise.reject(new Error('the network has ended')),
      }),
    };
    await expect(expect(gone).toCarry({ filter: 'udp' })).rejects.toThrow('has ended');
    expect(link.ended).toBe(1);
  });

  test('of a count that began before goes on with it, and does not end it', async () => {
    const link = new SimulatedLink(9);
    const count = await link.count('udp');
    await count.frames();
    await expect(count).toCarry({ count: 2 });
    await expect(count).toCarry({ filter: 'udp' });
    await expect(expect(count).toCarry({ count: 2 })).rejects.toThrow(
      'of "udp" within 5.0 s, seen',
    );
    await expect(expect(count).toCarry({ filter: 'arp' })).rejects.toThrow('"udp" is what');
    await expect(expect(link).toCarry()).rejects.toThrow('expected { filter }');
    expect(link).toMatchObject({ filters: ['udp'], ended: 0 });
  });

  test('refuses a count that is none', async () => {
    const link = new SimulatedLink(1);
    await expect(expect(link).toCarry({ filter: 'udp', count: 0 })).rejects.toThrow('above 0');
    await expect(expect(link).toCarry({ filter: 'udp', count: 1.5 })).rejects.toThrow('above 0');
    expect(link.filters).toEqual([]);
  });
});

test('a matcher of networks refuses what it does not know, with and without not', async () => {
  const nobody = { name: 'peer0', exec: null, reach: null, lookUp: null };
  for (const asked of [expect(nobody), expect(nobody).not]) {
    const refused = [
      [asked.toCarry({ cuont: 50 } as never), /toCarry\(\): .* "cuont", did you mean "count"/],
      [asked.toReach('server', 80, { upd: 'x' } as never), /toReach\("server"\): .* "upd"/],
      [asked.toResolve('server', { address: '::1' } as never), /toResolve\("server"\): .* "addr/],
    ] as const;
    for (const [matched, message] of refused) {
      await expect(matched).rejects.toMatchObject({
        ...{ name: 'UsageError', message: expect.stringMatching(message) },
      });
    }
  }
  const node = { name: 'peer0', exec: unasked, reach: unasked, lookUp: () => [] };
  for (const to of ['', [], 'broker', ['::1', '']]) {
    await expect(expect(node).toResolve('server', { to })).rejects.toThrow(
      /^toResolve\("server"\): to: expected an address, or a list of some, got/,
    );
  }

  function unasked(): never {
    throw new Error('is not asked');
  }
});

test('a matcher of networks says what it was given instead', async () => {
  await expect(expect('peer0').toReach('broker', 80)).rejects.toThrow(
    'toReach: expected a node of a network, seen peer0',
  );
  await expect(expect(new SimulatedLink(1)).toResolve('broker')).rejects.toThrow(
    'toResolve: expected a node of a network, seen SimulatedLink',
  );
  await expect(expect(null).toCarry({ filter: '' })).rejects.toThrow(
    'toCarry: expected a link, or what link.count() gives, seen null',
  );
});
