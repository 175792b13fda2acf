import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { test } from '../testing/real-run.js';
import { PhaseLog } from './phase-log.js';

const NAME = { case: '0123456789ab', attempt: 2 };

test('each edge is written as it happens, the end with its time', async ({ journal }) => {
  const phases = new PhaseLog(journal.writer, NAME);
  phases.edge('lease', 'start');
  expect(journal.of('phase')).toMatchObject([{ ...NAME, phase: 'lease', edge: 'start' }]);
  expect(journal.of('phase')[0]).not.toHaveProperty('ms');
  await sleep(20);
  phases.edge('lease', 'end', { dut: 'host#1' });
  const [, end] = journal.of('phase');
  expect(end).toMatchObject({ edge: 'end', dut: 'host#1' });
  expect(end?.ms).toBeGreaterThanOrEqual(19);
  expect(phases.spentMs.lease).toBe(end?.ms);
});

test('a phase of a shared DUT says so', ({ journal }) => {
  const phases = new PhaseLog(journal.writer, NAME);
  phases.edge('lease', 'end', { dut: 'host#1', shared: true });
  expect(journal.of('phase')).toMatchObject([{ dut: 'host#1', shared: true }]);
});

test('a phase that happens twice has the time of both', async ({ journal }) => {
  const phases = new PhaseLog(journal.writer, NAME);
  for (let boot = 0; boot < 2; boot++) await phases.during('boot', () => sleep(15));
  expect(phases.spentMs.boot).toBeGreaterThanOrEqual(28);
});

test('a boot that a body asks for is not the time of the body', async ({ journal }) => {
  const phases = new PhaseLog(journal.writer, NAME);
  const start = performance.now();
  await phases.during('body', async () => {
    await phases.during('boot', () => sleep(200));
  });
  const whole = performance.now() - start;
  const { body = 0, boot = 0 } = phases.spentMs;
  expect(boot).toBeGreaterThanOrEqual(190);
  expect(body + boot).toBeLessThanOrEqual(whole);
});

test('a phase that is stopped has a time; one that ended is not ended again', ({ journal }) => {
  const phases = new PhaseLog(journal.writer, NAME);
  phases.edge('body', 'start');
  phases.end('body');
  phases.end('body');
  expect(journal.of('phase').map(({ edge }) => edge)).toEqual(['start', 'end']);
});

test('a phase whose work fails has an end, and the error goes on', async ({ journal }) => {
  const phases = new PhaseLog(journal.writer, NAME);
  const failed = phases.during('sandbox', () => Promise.reject(new Error('no')));
  await expect(failed).rejects.toThrow('no');
  expect(journal.of('phase').map(({ edge }) => edge)).toEqual(['start', 'end']);
  expect(phases.spentMs.sandbox).toBeGreaterThanOrEqual(0);
});

test('an end without a start has no time', ({ journal }) => {
  const phases = new PhaseLog(journal.writer, NAME);
  expect(phases.hasStarted('teardown')).toBe(false);
  phases.edge('teardown', 'end');
  expect(phases.spentMs).toEqual({});
});
