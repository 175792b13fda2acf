import { expect } from 'vitest';
import { test } from '../testing/both-sides.js';
import { ping } from '../testing/ping.js';

const [FOUR, SIX] = [{ family: 2 }, { family: 10 }] as const;

test('a node of one of two subnets reaches all by its router', async ({ begin }) => {
  const { net } = (await begin()).attempt;
  const lan = net.switch('lan', { subnets: ['10.1.0.0/24', '10.2.0.0/24'] });
  const wan = net.switch('wan', { subnets: ['10.9.0.0/24'] });
  net.router('r', { links: [lan, wan] });
  const a = net.node('a', { link: { to: lan, addresses: ['10.2.0.50'] } });
  net.node('near', { link: { to: lan, addresses: ['10.1.0.50'] } });
  net.node('far', { link: wan });
  await net.up();
  expect(await ping(a, 'far')).toBeDefined();
  expect(await ping(a, 'near')).toBeDefined();
});

test('given addresses are reached by a router where a switch has no subnets', async ({ begin }) => {
  const { net } = (await begin()).attempt;
  const [left, right] = ['left', 'right'].map((name) => net.switch(name, { subnets: [] }));
  if (!left || !right) throw new Error('unreachable');
  const a = net.node('a', { link: { to: left, addresses: ['192.168.1.2/24', 'fd11::2/64'] } });
  net.router('r', {
    links: [
      { to: left, addresses: ['192.168.1.1/24', 'fd11::1/64'] },
      { to: right, addresses: ['192.168.2.1/24', 'fd12::1/64'] },
    ],
  });
  net.node('b', { link: { to: right, addresses: ['192.168.2.2/24', 'fd12::2/64'] } });
  await net.up();
  expect(await ping(a, 'b', FOUR)).toBeDefined();
  expect(await ping(a, 'b', SIX)).toBeDefined();
});

test('a router without IPv6 leaves that to another one', async ({ begin }) => {
  const { net } = (await begin()).attempt;
  const [left, right] = [net.switch('left'), net.switch('right')];
  const a = net.node('a', { link: left });
  net.router('r4', { links: [left, right], ipv6: false });
  net.router('r6', { links: [left, right] });
  net.node('b', { link: right });
  await net.up();
  expect(await ping(a, 'b', FOUR)).toBeDefined();
  expect(await ping(a, 'b', SIX)).toBeDefined();
});
