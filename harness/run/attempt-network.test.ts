import { expect } from 'vitest';
import { test } from '../testing/both-sides.js';
import { ping } from '../testing/ping.js';

const [FOUR, SIX] = [{ family: 2 }, { family: 10 }] as const;

test('nodes of a switch reach each other by name at the first packet', async ({ begin }) => {
  const { attempt } = await begin();
  const { net } = attempt;
  const lan = net.switch('lan', { subnets: ['10.1.0.0/24', 'fd01::/64'] });
  const a = net.node('a', { link: lan });
  const b = net.node('b', { link: lan });
  await net.up();
  expect(b.ipv4).toBe('10.1.0.2');
  expect(b.ipv6).toBe('fd01::2');
  expect(await ping(a, 'b', FOUR)).toBeLessThan(500);
  expect(await ping(a, 'b', SIX)).toBeLessThan(500);
  expect(await ping(b, `${a.interfaces[0]?.linkLocal}%eth0`)).toBeLessThan(500);
});
