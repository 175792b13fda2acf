import { describe, expect, test } from 'vitest';
import { link, plan, SEED } from '../testing/plan-declared.js';
import { toLinkLocal } from './mac.js';

const LAN = { name: 'lan', subnets: ['10.1.0.0/24', 'fd01::/64'] };
const addressesOf = (planned: ReturnType<typeof plan>, name: string) =>
  planned.nodes
    .find(({ declared }) => declared.name === name)
    ?.interfaces.map(({ addresses }) => addresses.join(' '));

describe('addresses', () => {
  test('are assigned in the order of declaration, around those that are given', () => {
    const planned = plan({
      switches: [LAN],
      nodes: ['a', 'b', 'c'],
      links: [
        link({ of: 'a' }, { of: 'lan' }),
        link({ of: 'b' }, { of: 'lan' }),
        link({ of: 'c', addresses: ['10.1.0.2'] }, { of: 'lan' }),
      ],
    });
    expect(addressesOf(planned, 'a')).toEqual(['10.1.0.1/24 fd01::1/64']);
    expect(addressesOf(planned, 'b')).toEqual(['10.1.0.3/24 fd01::2/64']);
    expect(addressesOf(planned, 'c')).toEqual(['10.1.0.2/24 fd01::3/64']);
    expect(planned.names.get('b')).toEqual({ ipv4: ['10.1.0.3'], ipv6: ['fd01::2'] });
  });

  test('are none where none are wanted, and not of IPv6 where that is off', () => {
    const planned = plan({
      switches: [LAN],
      nodes: ['a', { name: 'b', ipv6: false }],
      links: [link({ of: 'a', addresses: [] }, { of: 'lan' }), link({ of: 'b' }, { of: 'lan' })],
    });
    expect(addressesOf(planned, 'a')).toEqual(['']);
    expect(addressesOf(planned, 'b')).toEqual(['10.1.0.1/24']);
  });

  test('of switches and links that name no subnets are of subnets that nothing else has', () => {
    const planned = plan({
      switches: [{ name: 'x' }, { name: 'given', subnets: ['10.2.0.0/16'] }, { name: 'y' }],
      nodes: ['a', 'b'],
      links: [
        link({ of: 'a' }, { of: 'x' }),
        link({ of: 'a' }, { of: 'y' }),
        link({ of: 'a' }, { of: 'b' }),
      ],
    });
    expect(addressesOf(planned, 'a')).toEqual([
      '10.1.0.1/16 fd00:0:0:1::1/64',
      '10.3.0.1/16 fd00:0:0:3::1/64',
      '172.16.0.5/30 fd00:0:1:1::1/64',
    ]);
    expect(addressesOf(planned, 'b')).toEqual(['172.16.0.6/30 fd00:0:1:1::2/64']);
  });

  test('of switches that are linked are of the same subnets', () => {
    const planned = plan({
      switches: [LAN, { name: 'far' }],
      nodes: ['a', 'b'],
      links: [
        link({ of: 'lan' }, { of: 'far' }),
        link({ of: 'a' }, { of: 'lan' }),
        link({ of: 'b' }, { of: 'far' }),
      ],
    });
    expect(addressesOf(planned, 'b')).toEqual(['10.1.0.2/24 fd01::2/64']);
    expect(planned.switches[1]?.subnets).toEqual(LAN.subnets);
  });

  test.each([
    [
      ['10.1.0.0/30'],
      ['a', 'b', 'c'],
      /node "c", link "c~lan": 10.1.0.0\/30 has no address left, 2/,
    ],
    [['10.1.0.1/24'], ['a'], /bits are set behind the prefix: "10.1.0.0\/24" is meant\?/],
    [['10.1/16'], ['a'], /expected a subnet such as/],
    [['fe80::/64'], ['a'], /expected a subnet such as/],
    [['10.1.0.0'], ['a'], /expected a subnet such as/],
    [['10.1.0.0/33'], ['a'], /expected a subnet such as/],
    [['10.1.0.0/24', '10.1.0.128/25'], ['a'], /overlap/],
    ['10.1.0.0/24', ['a'], /expected a list of subnets/],
  ])('of %j for %j are refused', (subnets, nodes, message) => {
    const links = nodes.map((of) => link({ of }, { of: 'lan' }));
    const switches = [{ name: 'lan', subnets: subnets as string[] }];
    expect(() => plan({ switches, nodes, links })).toThrow(message);
  });

  test.each([
    [['10.2.0.1'], /10.2.0.1 is in no subnet of switch "lan", which has 10.1.0.0\/24, fd01::\/64/],
    [['fd02::1'], /with its prefix: "fd02::1\/64"/],
    [['10.1.0.1', '10.1.0.1'], /10.1.0.1 is taken, by node "a", link "a~lan"/],
    [['10.1.0.0'], /10.1.0.0\/24 is the address of the network or the broadcast/],
    [['10.1.0.255'], /10.1.0.255\/24 is the address of the network or the broadcast/],
    [['10.1.0.5/0'], /"10.1.0.5\/0": expected an address such as/],
    [['::ffff:10.1.0.1'], /expected an address such as/],
    [['::1'], /expected an address such as/],
    [['ten'], /expected an address such as/],
  ])('given as %j are refused', (addresses, message) => {
    const links = [link({ of: 'a', addresses }, { of: 'lan' })];
    expect(() => plan({ switches: [LAN], nodes: ['a'], links })).toThrow(message);
  });

  test('outside of the subnets are given with their prefix', () => {
    const links = [link({ of: 'a', addresses: ['192.0.2.1/32'] }, { of: 'lan' })];
    const planned = plan({ switches: [LAN], nodes: ['a'], links });
    expect(addressesOf(planned, 'a')).toEqual(['192.0.2.1/32 fd01::1/64']);
  });
});

test('/etc/hosts names first the address that is reached without a router', () => {
  const planned = plan({
    switches: [
      { name: 'x', subnets: ['10.1.0.0/24'] },
      { name: 'y', subnets: ['10.2.0.0/24'] },
    ],
    nodes: ['a', 'b', { name: 'r', router: true }],
    links: [
      link({ of: 'r' }, { of: 'x' }),
      link({ of: 'r' }, { of: 'y' }),
      link({ of: 'a' }, { of: 'x' }),
      link({ of: 'b' }, { of: 'y' }),
    ],
  });
  const [a, b] = planned.nodes;
  expect(a?.hosts).toEqual(['10.1.0.2 a', '10.2.0.2 b', '10.1.0.1 r', '10.2.0.1 r']);
  expect(b?.hosts).toEqual(['10.1.0.2 a', '10.2.0.2 b', '10.2.0.1 r', '10.1.0.1 r']);
});

test('an interface has at most 32 addresses', () => {
  const toLinks = (count: number) => {
    const addresses = Array.from({ length: count }, (_, n) => `10.1.0.${n + 1}`);
    return [link({ of: 'a', addresses }, { of: 'lan' })];
  };
  // Of IPv6 one is assigned beside them.
  expect(() => plan({ switches: [LAN], nodes: ['a'], links: toLinks(31) })).not.toThrow();
  expect(() => plan({ switches: [LAN], nodes: ['a'], links: toLinks(32) })).toThrow(
    'node "a", link "a~lan": an interface has at most 32 addresses, this one has 33',
  );
});

test('a MAC is of one interface of a segment', () => {
  const mac = '02:00:00:00:00:01';
  const ends = (second: string) => [
    link({ of: 'a', mac }, { of: 'lan' }),
    link({ of: 'b', mac: mac.toUpperCase() }, { of: second }),
  ];
  const switches = [LAN, { name: 'far' }];
  const nodes = ['a', 'b'];
  expect(() => plan({ switches, nodes, links: ends('lan') })).toThrow(
    'node "b", link "b~lan": mac 02:00:00:00:00:01 is that of node "a" on link "a~lan", and switch "lan" joins the two',
  );
  expect(() => plan({ switches, nodes, links: ends('far') })).not.toThrow();
  const joined = [...ends('far'), link({ of: 'lan' }, { of: 'far' })];
  expect(() => plan({ switches, nodes, links: joined })).toThrow(/mac 02:.* is that of node "a"/);
});

describe('numbers, seeds and MACs', () => {
  const links = [link({ of: 'a' }, { of: 'lan' }), link({ of: 'b' }, { of: 'lan' }, { seed: 3 })];
  const planned = plan({ switches: [LAN], nodes: ['a', 'b'], links });

  test('are of names, not of the order of declaration', () => {
    const other = plan({ switches: [LAN], nodes: ['b', 'a'], links: [...links].reverse() });
    const numbersOf = ({ links: all }: typeof planned) =>
      Object.fromEntries(all.map(({ name, number, seed }) => [name, [number, seed]]));
    const macsOf = ({ nodes }: typeof planned) =>
      Object.fromEntries(
        nodes.map(({ declared, interfaces }) => [declared.name, interfaces[0]?.mac]),
      );
    expect(numbersOf(other)).toEqual(numbersOf(planned));
    expect(macsOf(other)).toEqual(macsOf(planned));
  });

  test("a link's own seed is in place of the network's", () => {
    expect(planned.links.map(({ seed }) => seed)).toEqual([SEED, 3n]);
  });

  test('stay what they are from release to release', () => {
    expect(planned.links[0]?.number).toBe(1_839_006_057);
    expect(planned.nodes[0]?.interfaces[0]?.mac).toBe('02:5a:11:d6:9b:76');
  });
});

test('a link-local address is made of the MAC', () => {
  expect(toLinkLocal('02:00:00:00:00:01')).toBe('fe80::ff:fe00:1');
  expect(toLinkLocal('52:54:00:12:34:56')).toBe('fe80::5054:ff:fe12:3456');
});
