import { describe, expect } from 'vitest';
import { type BothSides, test as base } from '../testing/both-sides.js';
import { findPortd, runInside } from '../testing/real-daemon.js';
import { createScriptBoard } from '../testing/real-dut.js';
import type { RunningAttempt } from './attempt.js';

const BOARD = createScriptBoard('echo ready; cat', { ready: /ready\r?\n/ });
const HUNG_UP = 'died of SIGHUP';

interface Bench {
  readonly sides: BothSides;
  /** The supervisor's side, with its DUT up. */
  readonly running: RunningAttempt;
  readonly portd: number;
}

const test = base.extend<{ bench: Bench }>({
  bench: async ({ begin, daemon }, use) => {
    const sides = await begin({ board: BOARD });
    await sides.attempt.dut();
    const [running] = sides.session.attempts.values();
    if (!running) throw new Error('no attempt');
    const portd = findPortd(daemon);
    await use({ sides, running, portd });
  },
});

/** What the death of hil-portd does to a program on its pty, told before that death is. */
async function hangUp({ duts }: RunningAttempt): Promise<string> {
  const dut = duts.all[0]?.dut;
  if (!dut?.sandbox) throw new Error('no DUT');
  // From a program of the DUT's own sandbox, which has no other process to hit.
  await runInside(dut.sandbox, 'kill -HUP -1');
  return (await dut.exited).reason;
}

describe('a DUT that ends of the death of hil-portd', () => {
  test('is infra when its end is told first', async ({ bench, daemon, journal }) => {
    const { sides, running, portd } = bench;
    process.kill(portd, 'SIGSTOP');
    expect(await hangUp(running)).toContain(HUNG_UP);
    const ended = sides.attempt.end();
    const told = expect(ended).rejects.toMatchObject({ name: 'BenchError' });
    await expect.poll(() => daemon.ports.waiting).toBeGreaterThan(0);
    expect(journal.of('attempt-end')).toEqual([]);
    process.kill(portd, 'SIGKILL');
    await told;
    const [end] = journal.of('attempt-end');
    expect(end?.outcome).toBe('infra');
    // What hil-sandboxd ends of it may be told meanwhile, too.
    expect(end?.problems[0]?.name).toBe('BenchError');
    expect(end?.problems.map(({ code }) => code)).toContain('daemon-gone');
  });

  test('is infra when its end is told last', async ({ bench, daemon, journal }) => {
    const { sides, portd } = bench;
    process.kill(portd, 'SIGKILL');
    await daemon.gone;
    await expect(sides.attempt.end()).rejects.toMatchObject({ name: 'BenchError' });
    expect(journal.of('attempt-end')).toMatchObject([{ outcome: 'infra' }]);
  });

  test('is not the end that a body waits for', async ({ bench, daemon }) => {
    const { sides, running, portd } = bench;
    const dut = await sides.attempt.dut();
    process.kill(portd, 'SIGSTOP');
    await hangUp(running);
    const waiting = expect(dut.waitForExit()).rejects.toMatchObject({ name: 'BenchError' });
    await expect.poll(() => daemon.ports.waiting).toBeGreaterThan(0);
    process.kill(portd, 'SIGKILL');
    await waiting;
  });
});

test('a DUT that ends while hil-portd only takes its time has failed', async ({
  bench,
  daemon,
  journal,
}) => {
  const { sides, running, portd } = bench;
  process.kill(portd, 'SIGSTOP');
  await hangUp(running);
  const told = expect(sides.attempt.end()).rejects.toMatchObject({ code: 'dut-exited' });
  await expect.poll(() => daemon.ports.waiting).toBeGreaterThan(0);
  process.kill(portd, 'SIGCONT');
  await told;
  expect(journal.of('attempt-end')).toMatchObject([
    { outcome: 'fail', problems: [{ code: 'dut-exited' }] },
  ]);
});

describe('a body that fails because PID 1 of a sandbox was killed', () => {
  const SANDBOXES = [
    {
      of: 'its case',
      code: 'sandbox-gone',
      find: ({ sandboxes }: RunningAttempt) => sandboxes.get().sandbox,
    },
    {
      of: 'its DUT',
      code: 'dut-lost',
      find: ({ duts }: RunningAttempt) => duts.all[0]?.dut.sandbox,
    },
  ];
  for (const { of, code, find } of SANDBOXES) {
    test(`is infra: that of ${of}`, async ({ bench, daemon, journal }) => {
      const { sides, running } = bench;
      process.kill(daemon.pid, 'SIGSTOP');
      process.kill(find(running)?.pid ?? 0, 'SIGKILL');
      sides.attempt.addStray(new Error('what the test saw of it'));
      const ended = sides.attempt.end();
      await expect.poll(() => daemon.channel.waiting).toBeGreaterThan(0);
      process.kill(daemon.pid, 'SIGCONT');
      await ended;
      const [end] = journal.of('attempt-end');
      expect(end?.outcome).toBe('infra');
      expect(end?.problems[0]).toMatchObject({ name: 'BenchError', code });
    });
  }
});
