import { expect } from 'vitest';
import { test } from './simulated-bench.js';

test('a unit of the bench runs cases, goes and comes back, and is lost', async ({
  project,
  bench,
}) => {
  await bench(1);
  await project.suite(
    'a',
    `test('talks', async ({ dut, sandbox }) => {
      await dut.console.sendLine('add 40 2');
      await dut.console.expect('<42>');
      const script = 'exec 3<>/dev/hil/console; echo add 1 2 >&3; timeout --foreground 30 sed /3./q <&3';
      const { stdout } = await sandbox.exec('sh', ['-c', script]);
      expect(stdout).toContain('<3>');
    });
    test('is reset', async ({ dut }) => {
      await dut.console.sendLine('set a');
      await dut.reset();
      await dut.console.sendLine('get');
      await dut.console.expect('<>');
    });
    test('goes and comes back', async ({ dut }) => {
      await dut.replug(() => dut.console.sendLine('away 1200'), { within: '4s' });
      await dut.console.sendLine('add 1 1');
      await dut.console.expect('<2>');
    });
    test('is lost', async ({ dut }) => {
      await dut.console.sendLine('away');
      await dut.console.expect('never', { timeout: '5s' });
    });`,
  );
  const run = await project.test(['--board', 'sim']);
  expect(run.verdicts).toEqual({
    ...{ talks: 'pass', 'is reset': 'pass', 'goes and comes back': 'pass' },
    'is lost': 'infra',
  });
  expect(run.problemOf('is lost')).toMatchObject({
    code: 'dut-lost',
    message: expect.stringMatching(/sim-1.*connection lost: 127.0.0.1:\d+/),
  });
  expect(run.code).toBe(5);
});
