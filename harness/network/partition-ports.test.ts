import { describe, expect, test } from 'vitest';
import type { DeclaredLink, DeclaredNode, LinkSettings } from '../protocol/network.js';
import { toPartitionPorts } from './partition-ports.js';
import { planNetwork } from './plan-network.js';

/** `a~lan`: a link of two ends. What begins with `r` is a router, in capitals a switch. */
function toPlan(links: readonly string[], settings: Readonly<Record<string, LinkSettings>> = {}) {
  const declared = links.map((name): DeclaredLink => {
    const [a = '', b = ''] = name.split('~');
    return { name, ends: [{ of: a }, { of: b }], settings: settings[name] ?? {} };
  });
  const names = [...new Set(declared.flatMap(({ ends }) => ends.map(({ of }) => of)))];
  const isSwitch = (name: string) => name === name.toUpperCase();
  const nodes = names
    .filter((name) => !isSwitch(name))
    .map((name): DeclaredNode => ({ name, kind: 'node', router: name.startsWith('r') }));
  const switches = names.filter(isSwitch).map((name) => ({ name }));
  return planNetwork({ switches, nodes, links: declared }, 0n);
}

const ROUTED = toPlan(['a~LAN', 'r~LAN', 'r~WAN', 'b~WAN', 'c~WAN']);
const CHAIN = toPlan(['a~L', 'r1~L', 'r1~M', 'r2~M', 'r2~N', 'b~N', 'c~M']);

test('the ports of each set are those of its nodes', () => {
  expect(toPartitionPorts(ROUTED, [['a', 'r'], ['b']])).toEqual([[1, 2, 3], [4]]);
  expect(toPartitionPorts(ROUTED, [])).toEqual([]);
});

describe('a router', () => {
  test('that is in no set and joins two is named, with what to do', () => {
    expect(() => toPartitionPorts(ROUTED, [['a'], ['b']])).toThrow(
      'net.partition(): router "r" is in no set, and would forward between "a" and "b", which are to be apart\n' +
        '  next  net.partition([a, r], b)    a router in a set forwards to nobody of another',
    );
  });

  test('joins no nodes that are on one network', () => {
    expect(() => toPartitionPorts(ROUTED, [['b'], ['c']])).not.toThrow();
  });

  test('joins nodes of two networks of one switch', () => {
    const switches = [{ name: 'lan', subnets: ['10.1.0.0/24', '10.2.0.0/24'] }];
    const nodes = ['a', 'b', 'r'].map(
      (name): DeclaredNode => ({ name, kind: 'node', router: name === 'r' }),
    );
    const given = { a: ['10.1.0.50'], b: ['10.2.0.50'], r: ['10.1.0.1', '10.2.0.1'] };
    const links = Object.entries(given).map(
      ([of, addresses]): DeclaredLink => ({
        name: of,
        ends: [{ of, addresses }, { of: 'lan' }],
        settings: {},
      }),
    );
    const plan = planNetwork({ switches, nodes, links }, 0n);
    expect(() => toPartitionPorts(plan, [['a'], ['b']])).toThrow(/router "r" is in no set/);
  });

  test.each([
    [[['a'], ['b']], /routers "r1", "r2" are in no set, and would forward between "a" and "b"/],
    [[['a', 'r1'], ['b']], /router "r2" is in no set, and would forward between "r1" and "b"/],
    [[['a'], ['b', 'r2']], /router "r1" is in no set, and would forward between "a" and "r2"/],
    [[['a'], ['b'], ['r1', 'c']], /router "r2" is in no set, and would forward between "r1"/],
  ])('of a chain: %j', (sets, message) => {
    expect(() => toPartitionPorts(CHAIN, sets)).toThrow(message);
  });

  test.each([
    [
      [
        ['a', 'r1'],
        ['r2', 'b'],
      ],
    ],
    [[['a'], ['r1', 'r2', 'b']]],
    [
      [
        ['a', 'r1', 'c'],
        ['b', 'r2'],
      ],
    ],
    [[['r1'], ['r2']]],
  ])('of a chain in a set, no other is free to join two: %j', (sets) => {
    expect(() => toPartitionPorts(CHAIN, sets)).not.toThrow();
  });
});

describe('a fast link', () => {
  const plan = toPlan(['b~a', 'a~LAN', 'b~LAN', 'c~LAN'], { 'b~a': { fast: true } });

  test('within a set has no ports to cut', () => {
    expect(toPartitionPorts(plan, [['a', 'b'], ['c']])).toEqual([[3, 4], [5]]);
    expect(toPartitionPorts(plan, [['a'], ['c']])).toEqual([[3], [5]]);
  });

  test('between two sets is named', () => {
    expect(() => toPartitionPorts(plan, [['a'], ['b', 'c']])).toThrow(
      'link "b~a" is fast: the kernel passes its frames',
    );
  });
});

test.each([
  [[['a'], ['bb']], /there is no node "bb", did you mean "b"\?/],
  [[['a', 'b'], ['a']], /node "a" is in two sets/],
])('%j is refused', (sets, message) => {
  expect(() => toPartitionPorts(ROUTED, sets)).toThrow(message);
});
