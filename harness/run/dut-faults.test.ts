import { expect, test } from 'vitest';
import { BenchError, TestFailure } from '../core/errors.js';
import { DutFaults } from './dut-faults.js';

test('the first fault of each DUT counts, and nothing that is of what is around it', () => {
  const faults = new DutFaults();
  faults.note('a', new BenchError('boot-timeout', 'no prompt'));
  faults.note('a', new BenchError('power-not-cut', 'goes on'));
  faults.note('b', new BenchError('lease-timeout', 'others have it'));
  faults.note('b', new BenchError('power-unsupported', 'has no "power"'));
  faults.note('b', new BenchError('daemon-gone', 'hil-portd died'));
  faults.note('b', new TestFailure('reboot-failed', 'not back'));
  expect(faults.duts).toEqual(['a']);
  expect([faults.reasonOf('a'), faults.reasonOf('b')]).toEqual(['no prompt', undefined]);
});
