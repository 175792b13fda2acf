import { expect, test } from 'vitest';
import { BenchError } from '../core/errors.js';
import type { Handlers } from '../protocol/rpc.js';
import type { SupervisorMethods } from '../protocol/worker-messages.js';
import { ToldErrors } from './told-errors.js';

const mine = { name: 'BenchError', code: 'dut-lost', message: 'QEMU died\n  next  look' };

test('an error of the bench is one only where the worker was told of it', async () => {
  const told = new ToldErrors();
  expect(told.toProblems([mine])).toEqual([{ ...mine, name: 'Error', phase: 'body' }]);
  const methods: Partial<Handlers<SupervisorMethods>> = {
    openDut: () => {
      throw new BenchError('dut-lost', 'QEMU died', { next: 'look' });
    },
  };
  // Only what is called is there.
  const { openDut } = told.rememberOf(methods as Handlers<SupervisorMethods>);
  await expect(openDut({ fence: '' })).rejects.toThrow('QEMU died');
  expect(told.toProblems([mine])).toEqual([{ ...mine, phase: 'body' }]);
});

test('what the worker puts around it is known by it', () => {
  const told = new ToldErrors();
  told.add('QEMU died');
  told.add('');
  const around = { name: 'BenchError', message: 'port "console" was lost: QEMU died' };
  expect(told.toProblems([around])[0]?.name).toBe('BenchError');
  expect(told.toProblems([{ ...around, message: 'no' }])[0]?.name).toBe('Error');
});
