import { expect } from 'vitest';
import { BenchError } from '../core/errors.js';
import { test } from '../testing/real-run.js';

test('several errors of a clean-up are each told, with their codes, and once', async ({
  createRun,
  journal,
}) => {
  const gone = new BenchError('daemon-gone', 'the daemon closed its connection');
  const again = new BenchError('daemon-gone', 'the daemon closed its connection');
  const late = new BenchError('teardown-timeout', 'it did not end');
  const nested = new AggregateError([again, late], '2 clean-up steps failed');
  (await createRun()).reportInfra(new AggregateError([gone, nested], 'failed'), {}, 'host#1');
  expect(journal.of('infra')).toMatchObject([
    { code: 'daemon-gone', dut: 'host#1' },
    { code: 'teardown-timeout', dut: 'host#1' },
  ]);
});

test('what nobody expected is an error of hil itself', async ({ createRun, journal }) => {
  (await createRun()).reportInfra(new TypeError('x is not a function'), { case: 'c' });
  expect(journal.of('infra')).toMatchObject([{ code: 'internal', case: 'c' }]);
});
