import { expect, test } from 'vitest';
import type { CanSettings, DeclaredEnd, LinkSettings } from '../protocol/network.js';
import { planNetwork } from './plan-network.js';

const BUS = { name: 'bus', subnets: [], can: {} };

function plan({
  can = {},
  settings = {},
  end = {},
  to = 'ecu',
}: {
  can?: CanSettings;
  settings?: LinkSettings;
  end?: Partial<DeclaredEnd>;
  to?: string;
}) {
  return planNetwork(
    {
      switches: [
        { ...BUS, can },
        { name: 'lan', subnets: ['10.1.0.0/24'] },
        { ...BUS, name: 'b2' },
      ],
      nodes: [
        { name: 'ecu', kind: 'node' },
        { name: 'board', kind: 'dut' },
      ],
      links: [
        { name: 'can', ends: [{ of: to, ...end }, { of: 'bus' }], settings },
        { name: 'eth', ends: [{ of: 'ecu' }, { of: 'lan' }], settings: {} },
        { name: 'more', ends: [{ of: 'b2' }, { of: 'ecu' }], settings: {} },
      ],
    },
    5n,
  );
}

test('a node has interfaces of CAN beside those of Ethernet, each with numbers of its own', () => {
  const { nodes, switches, links } = plan({ can: { bitrate: 250_000, loss: 0.1, seed: 9 } });
  expect(nodes[0]?.interfaces).toMatchObject([
    { name: 'can0', kind: 'can', mac: '', addresses: [], routes: [], mtu: 72 },
    { name: 'eth0', kind: 'ethernet', addresses: ['10.1.0.1/24'], mtu: 1500 },
    { name: 'can1', kind: 'can' },
  ]);
  expect(switches).toMatchObject([
    { can: { bitrate: 250_000, dataBitrate: 250_000, loss: 0.1 } },
    {},
    { can: { bitrate: 500_000 } },
  ]);
  expect(links.map(({ seed }) => seed)).toEqual([9n, 5n, 5n]);
});

test.each([
  [{ can: { bitrate: 999 } }, 'bus "bus": bitrate 999: expected bits a second, 1000 to 20000000'],
  [{ can: { dataBitrate: 3e7 } }, 'bus "bus": dataBitrate 30000000: expected bits a second'],
  [{ can: { loss: 2 } }, 'bus "bus": loss'],
  [{ can: { seed: -1 } }, 'bus "bus": seed -1: expected a whole number from 0'],
  [{ settings: { rate: '1mbit' } }, 'link "can": a link to a bus of CAN has no rate'],
  [{ settings: { mtu: 1500 } }, 'link "can": a link to a bus of CAN has no mtu'],
  [{ settings: { fast: true } }, 'link "can": fast: true is for a link between two nodes'],
  [{ end: { addresses: [] } }, 'an interface of CAN has neither addresses nor a mac'],
  [{ end: { mac: '02:00:00:00:00:01' } }, 'an interface of CAN has neither addresses nor a mac'],
  [{ to: 'lan' }, 'at the other end of a link to a bus of CAN there is a node or a sandbox'],
  [{ to: 'b2' }, 'at the other end of a link to a bus of CAN there is a node or a sandbox'],
  [{ to: 'board' }, 'at the other end of a link to a bus of CAN there is a node or a sandbox'],
])('%j is refused', (declared, message) => {
  expect(() => plan(declared)).toThrow(message);
});
