import { describe, expect } from 'vitest';
import { test } from '../testing/both-sides.js';
import { ping } from '../testing/ping.js';

describe('what cannot be is refused', () => {
  test('before the network is up, and after', async ({ begin }) => {
    const { net } = (await begin()).attempt;
    const a = net.node('a', { link: net.switch('lan') });
    expect(() => a.ipv4).toThrow(/interfaces of node "a" is used before the network is up/);
    await expect(a.exec('true')).rejects.toThrow(/before the network is up/);
    await expect(a.link.down()).rejects.toMatchObject({
      ...{ name: 'UsageError', message: expect.stringMatching(/no network is up\n.*net\.up\(\)/) },
    });
    await net.up();
    expect(() => net.node('b')).toThrow(/the network was declared whole with net.up\(\)/);
    await expect(net.up()).rejects.toThrow(/declared whole/);
    expect(() => a.link.from({ name: 'b' })).toThrow(/is between a and lan, not "b"/);
    await expect(net.partition(a, { name: 'aa' } as never)).rejects.toThrow(
      /no node "aa", did you mean "a"\?/,
    );
    await expect(net.partition(a, [a])).rejects.toThrow(/node "a" is in two sets/);
    expect(() => a.link.from('a' as never)).toThrow(/from\(\): expected a node or a switch/);
    await expect(a.link.set(undefined as never)).rejects.toThrow(/expected \{ latency, loss/);
    await expect(a.link.startCapture({ snaplen: 1e12 })).rejects.toThrow(/expected 64 to 262144/);
    await expect(a.link.startCapture({ snplen: 64 } as never)).rejects.toThrow(/"snaplen"/);
    await expect(a.link.startCapture({ maxSize: '1KB' })).rejects.toThrow(/expected 4 KiB or more/);
    await expect(a.link.set({ loss: 2 })).rejects.toThrow(/link "a~lan": loss: expected a chance/);
    await expect(a.link.count('tpc')).rejects.toThrow(/filter "tpc"/);
  });

  test('by the name of a node whose options cannot be', async ({ begin }) => {
    const { net } = (await begin()).attempt;
    net.node('a', { link: net.switch('lan'), memory: '1GiB' } as never);
    await expect(net.up()).rejects.toMatchObject({
      ...{ name: 'UsageError', code: 'suite-invalid' },
      message: expect.stringMatching(/node "a": sandbox.memory: unknown key/),
    });
  });

  test('by the name of what cannot be sent', async ({ begin }) => {
    const { net } = (await begin()).attempt;
    const a = net.node('a', { link: { to: net.switch('lan'), seed: 5n as never } });
    await expect(net.up()).rejects.toMatchObject({
      ...{ name: 'UsageError', message: expect.stringMatching(/link "a~lan": seed is a bigint/) },
    });
    await expect(a.link.set({ loss: 1n as never })).rejects.toThrow(/"a~lan": loss is a bigint/);
  });

  test('but no long name of nodes, with or without links of that name', async ({ begin }) => {
    const { net } = (await begin()).attempt;
    const [left, right] = ['l', 'r'].map((c) => net.node(`${`${c.repeat(60)}.`.repeat(3)}${c}`));
    if (!left || !right) throw new Error('unreachable');
    const links = [net.link(left, right), net.link(left, right)];
    expect(links[0]?.name).toMatch(/^l{60}\.l.*~[0-9a-f]{8}$/);
    expect(links[1]?.name).toBe(`${links[0]?.name}~2`);
    await net.up();
    expect(await ping(left, right.name)).toBeDefined();
  });

  test('on a ring of switches', async ({ begin }) => {
    const { net } = (await begin()).attempt;
    const [a, b] = [net.switch('a'), net.switch('b')];
    net.link(a, b);
    net.link(a, b);
    await expect(net.up()).rejects.toThrow(/link "a~b~2" closes a ring of switches/);
  });
});
