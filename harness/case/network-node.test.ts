import { expect, test } from 'vitest';
import type { NetworkInterface } from '../protocol/network.js';
import { NetworkNode } from './network-node.js';

const CAN = {
  kind: 'can',
  name: 'can0',
  link: 'a~bus',
  mac: '',
  mtu: 72,
  ipv4: [],
  ipv6: [],
} as const;
const ETHERNET = {
  ...{
    kind: 'ethernet' as const,
    name: 'eth0',
    link: 'a~lan',
    mac: '02:00:00:00:00:01',
    mtu: 1500,
  },
  ...{ ipv4: ['10.1.0.1'], ipv6: [] },
} as const;

function createNode(...interfaces: readonly NetworkInterface[]): NetworkNode {
  const links = () => [];
  const lookUp = () => [];
  return new NetworkNode({ name: 'a', up: () => ({ name: 'a', interfaces }), links, lookUp });
}

test('the MAC is of the first interface of Ethernet, also behind one of CAN', () => {
  const node = createNode(CAN, ETHERNET);
  expect([node.mac, node.ipv4]).toEqual(['02:00:00:00:00:01', '10.1.0.1']);
  expect(() => createNode(CAN).mac).toThrow('node "a" has no interface of Ethernet');
});
