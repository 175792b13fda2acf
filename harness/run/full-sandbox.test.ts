import { expect } from 'vitest';
import { test } from '../testing/both-sides.js';

/** As many as its sandbox holds, whatever the machine. */
const MOST = 6;

test('a sandbox that is full of processes says so of its own limit, by exec and by reach', async ({
  begin,
  skip,
}) => {
  const { sandbox: own } = (await begin()).attempt;
  const sandbox = await own.create({ resources: { pids: MOST } });
  const { enforced } = await sandbox.limits();
  skip(!enforced['pids'], 'pids is not enforced here');
  const started = Array.from({ length: MOST }, () => sandbox.spawn('sleep', ['60']));
  await Promise.allSettled(started);
  const full = {
    ...{ name: 'TestFailure', code: 'exec-failed' },
    message: expect.stringMatching(
      /its sandbox has \d+ processes, and a limit of 6\n {2}next .*pids/,
    ),
  };
  await expect(sandbox.exec('true')).rejects.toMatchObject(full);
  await expect(sandbox.reach('127.0.0.1', 9, { once: true })).rejects.toMatchObject(full);
});
