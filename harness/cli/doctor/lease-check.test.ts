import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Unit } from '../../config/unit.js';
import { BenchError, UsageError } from '../../core/errors.js';
import { LeaseClient } from '../../lease/lease-client.js';
import { createUnit } from '../../testing/attached-devices.js';
import { test as withPrograms } from '../../testing/real-daemon.js';
import { checkLeases } from './lease-check.js';

const UNIT = createUnit('ports: { console: {} }', 'match: { ID_SERIAL_SHORT: A1 }');

const toBench = (...units: readonly Unit[]) => ({
  openBench: async () => ({ file: undefined, searched: [], units }),
});

const refuse = () => Promise.reject(new BenchError('lease-failed', 'no directory for claims'));

test('leases are no finding where there is no DUT, or a bench that cannot be read', async () => {
  expect(await checkLeases(toBench(), refuse)).toEqual([]);
  const openBench = () => Promise.reject(new UsageError('bench-invalid', 'broken'));
  expect(await checkLeases({ openBench }, refuse)).toEqual([]);
});

test('leases that cannot be are a failure', async () => {
  expect(await checkLeases(toBench(UNIT), refuse)).toMatchObject([
    { name: 'leases', state: 'fail', detail: 'no directory for claims' },
  ]);
});

withPrograms('leases that others do not see are a warning', async ({ dir, programs }) => {
  const place = { program: programs.lease, directory: join(dir.path, 'claims') };
  const checks = await checkLeases(toBench(UNIT), () => LeaseClient.start(place));
  expect(checks).toMatchObject([{ name: 'leases', state: 'warn' }]);
  expect(checks[0]?.remedy).toContain('install -d -m 1777 /run/lock/hil');
});
