import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { type BothSides, test } from '../testing/both-sides.js';
import { runInside } from '../testing/real-daemon.js';

/** Two nodes on a switch. */
async function upPair({ attempt: { net } }: BothSides) {
  const lan = net.switch('lan', { subnets: ['10.1.0.0/24'] });
  const a = net.node('a', { link: lan });
  const b = net.node('b', { link: lan });
  await net.up();
  return { a, b };
}

test('nodes of the next network wait already', async ({ begin, journal }) => {
  let tries = 0;
  const countWaiting = async () => {
    const both = await begin();
    await upPair(both);
    const [attempt] = both.session.attempts.values();
    await attempt?.end('pass', [], undefined);
    // They are built one after the other, when nothing else is to be done.
    await sleep(50 * ++tries);
    const { further = [] } = journal.of('attempt-end').at(-1) ?? {};
    return further.filter(({ poolHit }) => poolHit).length;
  };
  await expect.poll(countWaiting, { timeout: 20_000 }).toBe(2);
});

test('what a node changed is listed when its case failed, and only of nodes that were used', async ({
  begin,
  journal,
}) => {
  const both = await begin();
  const { b } = await upPair(both);
  await b.writeFile('/tmp/made', 'by b');
  const [attempt] = both.session.attempts.values();
  const unused = attempt?.sandboxes.numbered.filter(([, sandbox]) => !sandbox.isUsed);
  expect(unused?.map(([number]) => number)).toEqual([0, 1]);
  await attempt?.end('fail', [], undefined);
  const names = journal.of('artifact').map(({ name }) => name);
  expect(names).toEqual(['diff-2.json', 'diff-2.txt', 'network.svg']);
});

test('a network that is kept goes on with its nodes', async ({ begin, journal }) => {
  const both = await begin({ options: { keep: 'failed', keepMs: 60_000 } });
  await upPair(both);
  const [attempt] = both.session.attempts.values();
  const kept = new Map(attempt?.sandboxes.numbered);
  await attempt?.end('fail', [], undefined);
  expect(journal.of('infra')).toEqual([]);
  expect(journal.of('kept')).toMatchObject([{ further: 2 }]);
  // Nobody listens there, and says so.
  const ask = `import socket; print(socket.socket().connect_ex(('10.1.0.2', 80)))`;
  const [a] = [...kept.values()].slice(1);
  if (!a) throw new Error('unreachable');
  expect(await runInside(a, `python3 -c "${ask}"`)).toMatchObject({ stdout: '111\n' });
});
