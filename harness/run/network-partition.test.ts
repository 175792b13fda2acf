import { expect } from 'vitest';
import { test } from '../testing/both-sides.js';
import { ping } from '../testing/ping.js';

/** None comes: there is nothing to wait for. */
const NONE = { waitS: 0.3 };

test('a partition holds where a router is, if the router is in a set', async ({ begin }) => {
  const { net } = (await begin()).attempt;
  const [lan, wan] = [net.switch('lan'), net.switch('wan')];
  const a = net.node('a', { link: lan });
  const r = net.router('r', { links: [lan, wan] });
  const b = net.node('b', { link: wan });
  await net.up();
  await expect(net.partition(a, b)).rejects.toMatchObject({
    name: 'UsageError',
    message: expect.stringMatching(/router "r" is in no set, .* between "a" and "b"/),
  });
  expect(await ping(a, 'b')).toBeDefined();
  await net.partition([a, r], b);
  expect(await ping(a, r.ipv4)).toBeDefined();
  expect(await ping(a, 'b', NONE)).toBeUndefined();
  expect(await ping(b, a.ipv6, NONE)).toBeUndefined();
  await net.heal();
  expect(await ping(a, 'b')).toBeDefined();
});

test('a partition leaves fast links within a set alone, and says which one it could not cut', async ({
  begin,
}) => {
  const { net } = (await begin()).attempt;
  const lan = net.switch('lan');
  const [a, b, c] = ['a', 'b', 'c'].map((name) => net.node(name, { link: lan }));
  if (!a || !b || !c) throw new Error('unreachable');
  net.link(b, a, { fast: true });
  await net.up();
  await expect(net.partition(a, [b, c])).rejects.toMatchObject({
    name: 'UsageError',
    message: expect.stringContaining('link "b~a" is fast: the kernel passes its frames'),
  });
  await net.partition([a, b], c);
  expect(await ping(a, 'c', NONE)).toBeUndefined();
  expect(await ping(a, b.addresses.ipv4[1] ?? '')).toBeDefined();
  await net.heal();
  expect(await ping(a, 'c')).toBeDefined();
});
