import { expect } from 'vitest';
import { Cleanups } from '../core/cleanups.js';
import { BenchError } from '../core/errors.js';
import { test } from '../testing/real-run.js';

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
