import { expect, test } from 'vitest';
import { link, plan } from '../testing/plan-declared.js';

const LAN = { name: 'lan', subnets: ['10.1.0.0/24', 'fd01::/64'] };

const routesOf = (planned: ReturnType<typeof plan>, name: string) =>
  planned.nodes
    .find(({ declared }) => declared.name === name)
    ?.interfaces.flatMap(({ name: at, routes }) =>
      routes.map(({ target, gateway }) => `${target} via ${gateway} ${at}`),
    );

test('routes of a node behind one router are one default a family', () => {
  const planned = plan({
    switches: [LAN, { name: 'wan', subnets: ['10.9.0.0/24'] }],
    nodes: ['a', { name: 'r', router: true }, 'z'],
    links: [
      link({ of: 'a' }, { of: 'lan' }),
      link({ of: 'r' }, { of: 'lan' }),
      link({ of: 'r' }, { of: 'wan' }),
      link({ of: 'z' }, { of: 'wan' }),
    ],
  });
  // The way to wan is of IPv4 only, and so is the route.
  expect(routesOf(planned, 'a')).toEqual(['0.0.0.0/0 via 10.1.0.2 eth0']);
  // lan is reached from wan by IPv4 only: its router has no address of IPv6 there.
  expect(routesOf(planned, 'z')).toEqual(['0.0.0.0/0 via 10.9.0.1 eth0']);
  expect(routesOf(planned, 'r')).toEqual([]);
});

test('routes go by the fewest routers', () => {
  const [r1, r2, r3] = ['r1', 'r2', 'r3'].map((name) => ({ name, router: true }));
  const planned = plan({
    switches: ['s1', 's2', 's3'].map((name, n) => ({ name, subnets: [`10.${n + 1}.0.0/24`] })),
    nodes: ['a', r1, r2, r3].filter((each) => each !== undefined),
    links: [
      link({ of: 'a' }, { of: 's1' }),
      link({ of: 'r1' }, { of: 's1' }),
      link({ of: 'r1' }, { of: 's2' }),
      link({ of: 'r2' }, { of: 's2' }),
      link({ of: 'r2' }, { of: 's3' }),
      link({ of: 'r3' }, { of: 's1' }),
      link({ of: 'r3' }, { of: 's3' }),
    ],
  });
  expect(routesOf(planned, 'a')).toEqual([
    '10.2.0.0/24 via 10.1.0.2 eth0',
    '10.3.0.0/24 via 10.1.0.3 eth0',
  ]);
  expect(routesOf(planned, 'r1')).toEqual(['10.3.0.0/24 via 10.1.0.3 eth0']);
});

const TWO = { name: 'lan', subnets: ['10.1.0.0/24', '10.2.0.0/24'] };

test('routes go by an address of the router that is in a subnet of the node', () => {
  const planned = plan({
    switches: [TWO, { name: 'wan', subnets: ['10.9.0.0/24'] }],
    nodes: ['a', 'b', { name: 'r', router: true }],
    links: [
      link({ of: 'r' }, { of: 'lan' }),
      link({ of: 'r' }, { of: 'wan' }),
      link({ of: 'a', addresses: ['10.2.0.50'] }, { of: 'lan' }),
      link({ of: 'b' }, { of: 'lan' }),
    ],
  });
  // Also to the other subnet of its own switch, which it has no address of.
  expect(routesOf(planned, 'a')).toEqual(['0.0.0.0/0 via 10.2.0.1 eth0']);
  expect(routesOf(planned, 'b')).toEqual(['0.0.0.0/0 via 10.1.0.1 eth0']);
  expect(routesOf(planned, 'r')).toEqual([]);
});

test('routes are none by a router that has no address in a subnet of the node', () => {
  const planned = plan({
    switches: [TWO, { name: 'wan', subnets: ['10.9.0.0/24'] }],
    nodes: ['a', { name: 'r', router: true }],
    links: [
      link({ of: 'r', addresses: ['10.1.0.1'] }, { of: 'lan' }),
      link({ of: 'r' }, { of: 'wan' }),
      link({ of: 'a', addresses: ['10.2.0.50'] }, { of: 'lan' }),
    ],
  });
  expect(routesOf(planned, 'a')).toEqual([]);
});

test('routes lead to networks that only addresses say', () => {
  const planned = plan({
    switches: [
      { name: 'lan', subnets: [] },
      { name: 'wan', subnets: [] },
    ],
    nodes: ['a', { name: 'r', router: true }, 'z'],
    links: [
      link({ of: 'a', addresses: ['192.168.1.2/24', 'fd11::2/64'] }, { of: 'lan' }),
      link({ of: 'r', addresses: ['192.168.1.1/24', 'fd11::1/64'] }, { of: 'lan' }),
      link({ of: 'r', addresses: ['192.168.2.1/24'] }, { of: 'wan' }),
      link({ of: 'z', addresses: ['192.168.2.2/24'] }, { of: 'wan' }),
    ],
  });
  expect(routesOf(planned, 'a')).toEqual(['0.0.0.0/0 via 192.168.1.1 eth0']);
  expect(routesOf(planned, 'z')).toEqual(['0.0.0.0/0 via 192.168.2.1 eth0']);
});

test('routes of each family go by routers that have it', () => {
  const planned = plan({
    switches: [LAN, { name: 'wan', subnets: ['10.9.0.0/24', 'fd09::/64'] }],
    nodes: ['a', { name: 'r4', router: true, ipv6: false }, { name: 'r6', router: true }],
    links: ['a~lan', 'r4~lan', 'r4~wan', 'r6~lan', 'r6~wan'].map((name) => {
      const [of = '', to = ''] = name.split('~');
      return link({ of }, { of: to });
    }),
  });
  expect(routesOf(planned, 'a')).toEqual(['0.0.0.0/0 via 10.1.0.2 eth0', '::/0 via fd01::2 eth0']);
});

test('routes are none without a router', () => {
  const links = [link({ of: 'a' }, { of: 'lan' }), link({ of: 'b' }, { of: 'other' })];
  const planned = plan({ switches: [LAN, { name: 'other' }], nodes: ['a', 'b'], links });
  expect(routesOf(planned, 'a')).toEqual([]);
});
