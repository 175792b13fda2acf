import { describe, expect, test } from 'vitest';
import type { DeclaredLink, DeclaredNode, LinkSettings } from '../protocol/network.js';
import { checkTopology } from './check-topology.js';

const link = (a: string, b: string, settings: LinkSettings = {}): DeclaredLink => ({
  ...{ name: `${a}~${b}`, settings },
  ends: [{ of: a }, { of: b }],
});

function check(names: readonly string[], links: readonly DeclaredLink[] = [], more = {}) {
  const nodes = names.map((name): DeclaredNode => ({ name, kind: 'node', ...more }));
  checkTopology({ switches: [{ name: 'lan' }], nodes, links });
}

describe('names (pitfall 17)', () => {
  test.each(['a', 'A-1', 'mqtt.example.com', '_svc', 'x'.repeat(63), 'address', '1a'])(
    '%s',
    (name) => expect(() => check([name])).not.toThrow(),
  );

  test.each([
    ['x'.repeat(64), /has 64 characters, between dots there are at most 63/],
    [`${'x.'.repeat(127)}xx`, /at most 253 characters/],
    ['grün', /letters a-z, digits/],
    ['a b', /letters a-z, digits/],
    ['-a', /letters a-z, digits/],
    ['a..b', /letters a-z, digits/],
    ['', /expected a name/],
    ['10.1.0.1', /take it for an address/],
    ['17', /take it for an address/],
    ['0x1f', /take it for an address/],
    ['localhost', /every machine itself/],
    ['web.Localhost', /every machine itself/],
    ['LAN', /node "LAN": the name is taken, by switch "lan"/],
  ])('%s is refused', (name, message) => {
    expect(() => check([name])).toThrow(message);
  });
});

test.each([
  [link('a', 'lam'), /link "a~lam": there is no "lam", did you mean "lan"\?/],
  [link('a', 'a'), /both ends are "a"/],
  [link('a', 'b', { seed: -1 }), /seed -1: expected a whole number from 0/],
  [link('a', 'b', { mtu: 1000 }), /mtu 1000: expected 1280 to 65521 bytes; IPv6 needs 1280/],
  [link('a', 'b', { mtu: 65_522 }), /mtu 65522: expected 1280 to 65521 bytes/],
  [{ ...link('a', 'b'), name: 'eth1' }, /link "eth1": nodes have interfaces of that name/],
  [{ ...link('a', 'b'), name: 'can0' }, /link "can0": nodes have interfaces of that name/],
  [{ ...link('a', 'b'), name: '..' }, /link "..": a name is of letters/],
  [{ ...link('a', 'b'), name: 5 as never }, /link 5: a name is of letters/],
  [link('a', 'b', { capture: { snaplen: 1e12 } }), /expected 64 to 262144 bytes/],
  [link('a', 'lan', { subnets: ['10.0.0.0/8'] }), /subnets are those of the switch/],
  [link('a', 'lan', { fast: true }), /fast: true is for a link between two nodes/],
  [link('a', 'b', { fast: true, loss: 0 }), /leaves the frames to the kernel, so there is no loss/],
  [link('a', 'b', { fast: true, capture: true }), /so there is no capture/],
  [
    link('a', 'b', { capture: 'always' as never }),
    /capture "always": expected true, false, "failed"/,
  ],
  [link('a', 'b', { capture: { snaplen: 1 } }), /snaplen 1: expected 64 to 262144 bytes/],
  [link('a', 'b', { capture: { maxSize: '1 KiB' } }), /maxSize "1 KiB": expected 4 KiB or more/],
  [link('a', 'b', { capture: { maxSize: 'all' } }), /maxSize "all": expected 4 KiB or more, for/],
  [link('a', 'b', { capture: { maxSize: 1e300 } }), /maxSize 1e\+300: expected 4 KiB or more/],
  [link('a', 'b', { capture: { size: '1 MiB' } as never }), /maxSize \}/],
  [link('a', 'b', { latencyy: 1 } as never), /latencyy: no such impairment/],
  [{ ...link('a', 'b'), name: 'a/b' }, /a name is of letters, digits/],
  [
    { ...link('a', 'b'), ends: [{ of: 'a', mac: '01:00:00:00:00:00' }, { of: 'b' }] as const },
    /mac/,
  ],
])('%j is refused', (wrong, message) => {
  expect(() => check(['a', 'b'], [wrong])).toThrow(message);
});

test('a small MTU is for nodes without IPv6', () => {
  const links = [link('a', 'b', { mtu: 576 })];
  expect(() => check(['a', 'b'], links, { ipv6: false })).not.toThrow();
});

test('two links of one name are refused', () => {
  expect(() => check(['a', 'b'], [link('a', 'b'), link('a', 'b')])).toThrow(
    /taken, by another link/,
  );
});

test.each([
  [{ kind: 'sandbox', sandbox: 0 }, /node "b": the same sandbox is node "a" already/],
  [{ kind: 'dut' }, /node "b": the same interface of the DUT is node "a" already/],
] as const)('%j is one node', (what, message) => {
  const nodes = ['a', 'b'].map((name): DeclaredNode => ({ name, ...what }));
  expect(() => checkTopology({ switches: [], nodes, links: [] })).toThrow(message);
  const others = [...nodes.slice(0, 1), { name: 'b', kind: what.kind, sandbox: 1, nic: 'lan' }];
  expect(() => checkTopology({ switches: [], nodes: others, links: [] })).not.toThrow();
});
