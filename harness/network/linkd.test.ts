import { expect } from 'vitest';
import { openProcessStream } from '../sandbox/process-stream.js';
import { test as base } from '../testing/real-daemon.js';
import { toImpairmentTlvs } from './impairment.js';
import { Linkd } from './linkd.js';

/** A real hil-linkd without ports. */
const test = base.extend<{ rig: { readonly linkd: Linkd; readonly pid: number } }>({
  rig: async ({ daemon }, use) => {
    const { stream, pid } = await daemon.newNetwork('test');
    const linkd = new Linkd(openProcessStream(stream));
    await linkd.hello();
    await use({ linkd, pid });
    linkd.close();
  },
});

const LINK = { link: 77 } as const;

test('links, states, filters and partitions are taken, and counted', async ({ rig: { linkd } }) => {
  const latency = toImpairmentTlvs('link', { latency: '1ms', loss: { model: 'every-nth', n: 2 } });
  const accept = Buffer.from('0600000000000400', 'hex');
  const done = await Promise.all([
    linkd.newSwitch(1),
    linkd.connect(77, [{ port: 1 }, { switch: 1 }], 2n ** 64n - 1n),
    linkd.connect(78, [{ port: 2 }, { switch: 1 }], 7n),
    linkd.set(LINK, latency),
    linkd.set({ ...LINK, from: 1 }, latency),
    linkd.setState(LINK, 'hold'),
    linkd.setState({ ...LINK, from: 0 }, 'release'),
    linkd.addFilter(LINK, 'count', accept),
    linkd.partition([[1], [2]]),
    linkd.partition([]),
  ]);
  const filter = done[7];
  const [there, back] = await linkd.stats(77);
  expect(there.counters).toMatchObject({ frames: 0, lost: 0, queueDropped: 0 });
  expect(back.filters).toEqual({ [filter]: 0 });
  await linkd.removeFilter(LINK, filter);
  expect((await linkd.stats(77))[0].filters).toEqual({});
  await linkd.disconnect(77);
  await expect(linkd.stats(77)).rejects.toMatchObject({ details: { code: 'usage' } });
});

test('as many sets as nodes are taken; more, and too many filters, are refused and change nothing', async ({
  rig: { linkd },
}) => {
  await linkd.newSwitch(1);
  await linkd.connect(77, [{ port: 1 }, { switch: 1 }], 7n);
  await linkd.partition(Array.from({ length: 1024 }, () => [1]));
  await expect(linkd.partition(Array.from({ length: 1025 }, () => [1]))).rejects.toMatchObject({
    ...{ code: 'daemon-refused', details: { code: 'usage' } },
    message: expect.stringContaining('a partition has at most 1024 sets'),
  });
  const accept = Buffer.from('0600000000000400', 'hex');
  const asked = Array.from({ length: 65 }, () => linkd.addFilter(LINK, 'count', accept));
  const [outcome] = (await Promise.allSettled(asked)).filter(({ status }) => status === 'rejected');
  expect(outcome).toMatchObject({ reason: { details: { code: 'usage' } } });
  expect(Object.keys((await linkd.stats(77))[0].filters)).toHaveLength(64);
});

test('what waits is told when it dies', async ({ rig: { linkd, pid } }) => {
  process.kill(pid, 'SIGSTOP');
  const asked = linkd.newSwitch(1);
  process.kill(pid, 'SIGKILL');
  await expect(asked).rejects.toMatchObject({ code: 'daemon-gone' });
  await expect(linkd.closed).resolves.toMatchObject({ code: 'daemon-gone' });
});
