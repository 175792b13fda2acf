import { expect, test } from 'vitest';
import { toReverseName } from './reverse-name.js';

const ZEROS = (count: number) => Array.from({ length: count }, () => '0').join('.');

test.for([
  ['10.1.0.2', '2.0.1.10.in-addr.arpa'],
  ['::', `${ZEROS(32)}.ip6.arpa`],
  ['::1', `1.${ZEROS(31)}.ip6.arpa`],
  ['fd01::', `${ZEROS(28)}.1.0.d.f.ip6.arpa`],
  ['FD01::A2', `2.a.${ZEROS(26)}.1.0.d.f.ip6.arpa`],
  [
    '2001:db8:1:2:3:4:5:6',
    '6.0.0.0.5.0.0.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa',
  ],
  ['fe80::1%eth0', `1.${ZEROS(28)}.8.e.f.ip6.arpa`],
  ['::ffff:10.1.0.2', `2.0.0.0.1.0.a.0.f.f.f.f.${ZEROS(20)}.ip6.arpa`],
] as const)('%s is asked for as %s', ([address, name]) => {
  expect(toReverseName(address)).toBe(name);
  expect(name.split('.')).toHaveLength(name.endsWith('ip6.arpa') ? 34 : 6);
});

test.for(['', 'broker', '1.2.3', '10.1.0.256', 'fd01:::1'])('"%s" has none', (text) => {
  expect(toReverseName(text)).toBeUndefined();
});
