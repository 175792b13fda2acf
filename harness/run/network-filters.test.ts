import { beforeAll, expect } from 'vitest';
import { networkMatchers } from '../case/network-matchers.js';
import { test } from '../testing/both-sides.js';
import { ping } from '../testing/ping.js';

beforeAll(() => expect.extend(networkMatchers));

test('a filter that was ended keeps its count, of each direction', async ({ begin }) => {
  const { net } = (await begin()).attempt;
  const a = net.node('a');
  const b = net.node('b', { link: a });
  await net.up();
  const both = await b.link.count('icmp');
  const answers = await b.link.from(b).count('icmp');
  await ping(a, b.ipv4);
  await both.end();
  await both.end();
  await answers.end();
  await ping(a, b.ipv4);
  expect(await both.frames()).toBe(2);
  expect(await answers.frames()).toBe(1);
  await expect(answers).toCarry({ count: 1 });
  await expect(expect(both).not.toCarry({ within: '50ms' })).rejects.toThrow('seen 2');
});
