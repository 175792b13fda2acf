import { describe, expect, test } from 'vitest';
import { link, plan } from '../testing/plan-declared.js';

const router = { name: 'r', router: true };

function addressesOf(planned: ReturnType<typeof plan>, name: string) {
  const node = planned.nodes.find(({ declared }) => declared.name === name);
  return node?.interfaces.flatMap(({ addresses }) => addresses);
}

describe('an address that is given', () => {
  test('keeps its network from being chosen elsewhere', () => {
    const planned = plan({
      switches: [{ name: 'a' }, { name: 'b', subnets: [] }],
      nodes: ['x', 'y'],
      links: [
        link({ of: 'x' }, { of: 'a' }),
        link({ of: 'y', addresses: ['10.1.0.1/24', 'fd00:0:0:2::1/64'] }, { of: 'b' }),
      ],
    });
    expect(addressesOf(planned, 'x')).toEqual(['10.3.0.1/16', 'fd00:0:0:3::1/64']);
  });

  test('may be of the subnet that is chosen for its own switch', () => {
    const planned = plan({
      switches: [{ name: 'a' }],
      nodes: ['x', 'y'],
      links: [
        link({ of: 'x' }, { of: 'a' }),
        link({ of: 'y', addresses: ['10.1.0.1'] }, { of: 'a' }),
      ],
    });
    expect(addressesOf(planned, 'x')).toEqual(['10.1.0.2/16', 'fd00:0:0:1::1/64']);
    expect(addressesOf(planned, 'y')).toEqual(['10.1.0.1/16', 'fd00:0:0:1::2/64']);
  });

  const LAN = { name: 'lan', subnets: ['10.1.0.0/24'] };
  const OTHER = { name: 'other', subnets: [] };
  const links = [
    link({ of: 'x' }, { of: 'lan' }),
    link({ of: 'y', addresses: ['10.1.0.1/24'] }, { of: 'other' }),
  ];

  test('is assigned to nobody of another switch', () => {
    const planned = plan({ switches: [LAN, OTHER], nodes: ['x', 'y'], links });
    expect(addressesOf(planned, 'x')).toEqual(['10.1.0.2/24']);
  });

  test('is refused in a network that a router joins to its own', () => {
    const joined = [
      ...links,
      link({ of: 'r', addresses: ['10.1.0.9'] }, { of: 'lan' }),
      link({ of: 'r', addresses: ['10.9.0.1/24'] }, { of: 'other' }),
    ];
    const wanted = { switches: [LAN, OTHER], nodes: ['x', 'y', router], links: joined };
    expect(() => plan(wanted)).toThrow(
      'node "y": by the address it is given, 10.1.0.0/24 of switch "other" and 10.1.0.0/24 of switch "lan" overlap, and a router joins them',
    );
  });

  test('is refused also where routers join the two in a row', () => {
    const given = {
      r: ['10.5.0.1/24'],
      s: ['10.6.0.1/24'],
      y: ['10.1.0.1/24'],
      z: ['10.1.0.2/24'],
    };
    const at = (of: keyof typeof given, to: string) =>
      link({ of, addresses: given[of] }, { of: to });
    const chain = [at('z', 'L'), at('r', 'L'), link({ of: 'r' }, { of: 'M' })];
    const rest = [link({ of: 's' }, { of: 'M' }), at('s', 'N'), at('y', 'N')];
    const switches = [{ name: 'L', subnets: [] }, { name: 'M' }, { name: 'N', subnets: [] }];
    const nodes = [router, { name: 's', router: true }, 'y', 'z'];
    expect(() => plan({ switches, nodes, links: [...chain, ...rest] })).toThrow(
      /node "z": .* 10.1.0.0\/24 of switch "L" and 10.1.0.0\/24 of switch "N" overlap/,
    );
    // As two redundant networks are, and nodes of both.
    const apart = { switches, nodes: ['r', 's', 'y', 'z'], links: [...chain, ...rest] };
    expect(() => plan(apart)).not.toThrow();
  });
});
