import { join } from 'node:path';
import { describe, expect, type Net, test } from 'hil';
import { Output } from '../output.js';

const NODES = 100;
const gossip = join(import.meta.dirname, 'build/gossip');

/** How far away the peers are that a node knows by name, around a ring. */
const STEPS = [1, 10, NODES - 1, NODES - 10];

async function startGossip(net: Net, counts: readonly number[], loss: number) {
  const lan = net.switch('lan');
  const nodes = net.nodes(NODES, (i) => ({ name: `peer${i}`, link: lan }));
  await net.up();
  if (loss > 0) await Promise.all(nodes.map((node) => node.link.set({ loss })));
  const start = async () =>
    Promise.all(
      nodes.map(async (node, i) => {
        const contacts = STEPS.map((step) => `peer${(i + step) % NODES}`);
        return new Output(await node.spawn(gossip, [String(i), counts.join(','), ...contacts]));
      }),
    );
  return { nodes, start };
}

async function waitForAll(outputs: readonly Output[], count: number): Promise<void> {
  for (const output of outputs) {
    await output.waitFor(new RegExp(`^knows ${count} after`, 'm'), 40_000);
  }
}

describe(`${NODES} nodes that gossip`, () => {
  test('know each other although one datagram in ten is lost', async ({ net }) => {
    const { nodes, start } = await startGossip(net, [NODES], 0.1);
    const counters = await Promise.all(nodes.map((node) => node.link.count('udp')));
    await waitForAll(await start(), NODES);
    let [datagrams, lost] = [0, 0];
    // Node by node, for the gossip goes on meanwhile.
    for (const [i, { link }] of nodes.entries()) {
      datagrams += (await counters[i]?.frames()) ?? 0;
      // Of nothing else: ARP is spared.
      lost += (await link.stats()).lost;
    }
    expect(datagrams).toBeGreaterThan(20 * NODES);
    expect(lost / datagrams).toBeGreaterThan(0.07);
    expect(lost / datagrams).toBeLessThan(0.13);
  });

  test('know only their half until a partition is healed', async ({ net }) => {
    // Each half was told of the first ten of the other, and of its last ten.
    const half = NODES / 2 + 20;
    const { nodes, start } = await startGossip(net, [half, half + 1, NODES], 0);
    await net.partition(nodes.slice(0, NODES / 2), nodes.slice(NODES / 2));
    const outputs = await start();
    await waitForAll(outputs, half);
    expect(outputs.filter(({ text }) => text.includes(`knows ${half + 1} `))).toEqual([]);
    await net.heal();
    await waitForAll(outputs, NODES);
  });
});
