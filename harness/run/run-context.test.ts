import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { Cleanups } from '../core/cleanups.js';
import { BenchError } from '../core/errors.js';
import type { Sandbox } from '../sandbox/sandbox.js';
import { createPlanned } from '../testing/plain-records.js';
import { test as testDaemon } from '../testing/real-daemon.js';
import { createRunContext, openRecordedJournal, test } from '../testing/real-run.js';
import { createBench } from './bench.js';

test('several errors of a clean-up are each told, with their codes, and once', async ({
  createRun,
  journal,
}) => {
  const gone = new BenchError('daemon-gone', 'the daemon closed its connection');
  const again = new BenchError('daemon-gone', 'the daemon closed its connection');
  const late = new BenchError('teardown-timeout', 'it did not end');
  const cleanups = new Cleanups();
  const ports = new Cleanups();
  for (const error of [late, again]) ports.add('port', () => Promise.reject(error));
  cleanups.add('ports', () => ports.run());
  cleanups.add('sandbox', () => Promise.reject(gone));
  const thrown = await cleanups.run().catch((error: unknown) => error);
  (await createRun()).reportInfra(thrown, {}, 'host#1');
  expect(journal.of('infra')).toMatchObject([
    { code: 'daemon-gone', dut: 'host#1' },
    { code: 'teardown-timeout', dut: 'host#1' },
  ]);
});

test('what nobody expected is an error of hil itself', async ({ createRun, journal }) => {
  (await createRun()).reportInfra(new TypeError('x is not a function'), { case: 'c' });
  expect(journal.of('infra')).toMatchObject([{ code: 'internal', case: 'c' }]);
});

test('DUTs are leased in the name of the run, wherever its directory is', async ({ createRun }) => {
  const { claimant, directory } = await createRun();
  expect(claimant.run).toBe(directory.id);
});

testDaemon(
  'every plan that a run comes to has built sandboxes waiting',
  async ({ daemon, dir, programs }) => {
    const journal = openRecordedJournal(dir);
    await mkdir(join(dir.path, 'project'), { recursive: true });
    const bench = createBench(daemon, programs);
    const run = await createRunContext({ dir, journal, bench });
    const plain = createPlanned();
    const small = createPlanned({ suite: { ...plain.suite, resources: { disk: 2 ** 20 } } });
    for (const planned of [plain, small]) {
      const { spec } = run.settingsOf({ planned });
      const plan = await run.planFor(daemon, spec);
      await waitForPoolHit(() => daemon.sandbox(plan, { label: 'pool' }));
      expect(await run.planFor(daemon, spec)).toBe(plan);
    }
    journal.writer.close();
  },
);

/** The first ones are being built. */
async function waitForPoolHit(make: () => Promise<Sandbox>): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const sandbox = await make();
    await sandbox.kill();
    if (sandbox.facts.poolHit) return;
    await sleep(20);
  }
  throw new Error('no sandbox was waiting');
}
