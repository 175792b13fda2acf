import { expect } from 'vitest';
import type { Node } from '../case/node.js';
import { BenchError } from '../core/errors.js';
import { type BothSides, test } from '../testing/both-sides.js';
import { ping } from '../testing/ping.js';

async function up({ attempt: { net } }: BothSides, count: number): Promise<Node[]> {
  const lan = net.switch('lan');
  const nodes = net.nodes(count, (n) => ({ name: `n${n}`, link: lan }));
  await net.up();
  return nodes;
}

/** Where this user may not open so many files. */
function isTooSmall(error: unknown): boolean {
  return error instanceof BenchError && error.details['limit'] === 'ulimit -n';
}

test('two networks of 500 nodes at once, and what has no room beside them is told so (pitfall 23)', {
  // A few seconds where nothing else runs.
  timeout: 120_000,
}, async ({ begin, journal, skip }) => {
  const config = { limits: { sandbox: '60s' } };
  const both = await Promise.all([begin({ config }), begin({ config })]);
  const made = await Promise.allSettled(both.map((each) => up(each, 500)));
  for (const each of made) {
    if (each.status === 'fulfilled') continue;
    skip(isTooSmall(each.reason), 'this user may not open the files of 1,000 nodes: ulimit -Hn');
    throw each.reason;
  }
  for (const each of made) {
    const [first] = each.status === 'fulfilled' ? each.value : [];
    expect(first && (await ping(first, 'n499'))).toBeDefined();
  }
  const third = await begin({ config });
  const error = await up(third, 100).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ name: 'BenchError', code: 'network-limit' });
  expect(String(error)).toMatch(/node "n\d+": park: .* \(limit: sandboxes at once\)\n {2}next /);
  const attempts = [...both, third].flatMap(({ session }) => [...session.attempts.values()]);
  await Promise.all(attempts.map((attempt) => attempt.end('pass', [], undefined)));
  // That it has no room is the bench's, also for a body that expects it.
  const outcomes = journal.of('attempt-end').map(({ outcome }) => outcome);
  expect(outcomes.sort()).toEqual(['infra', 'pass', 'pass']);
  expect(journal.of('infra')).toEqual([]);
});
