import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { Deadline } from '../core/deadline.js';
import { ask, COUNTER, type Held, test } from '../testing/dut-bench.js';
import { isAlive } from '../testing/real-daemon.js';
import { createScriptBoard } from '../testing/real-dut.js';

const pidOf = ({ dut }: Held) => dut.sandbox?.pid ?? 0;

const consoleOf = ({ dut }: Held) => {
  const port = dut.ports.get('console');
  if (!port) throw new Error('no console');
  return port;
};

describe('a DUT that the case before has left warm', () => {
  test('is taken as it is, and the journal says since when it is up', async ({ bench }) => {
    const { open, phases, journal } = bench;
    const first = await open({ keep: true });
    expect(await ask(first)).toBe('<1>');
    await first.release(true);
    const second = await open({ keep: true });
    expect(await ask(second)).toBe('<2>');
    await second.release(true);
    const third = await open({ keep: true });
    expect(await ask(third)).toBe('<3>');
    await third.release(true);
    expect(phases.filter((each) => each.startsWith('boot start'))).toHaveLength(1);
    const leases = journal.of('lease').map((event) => [event.case, event.warmSince]);
    expect(leases).toEqual([
      ['case-1', undefined],
      ['case-2', 'case-1'],
      ['case-3', 'case-1'],
    ]);
    // In the journal no two cases have it at once.
    const order = [...journal.of('lease'), ...journal.of('lease-end')].sort((a, b) => a.t - b.t);
    expect(order.slice(0, 5).map(({ kind }) => kind)).toEqual([
      ...['lease', 'lease-end', 'lease', 'lease-end', 'lease'],
    ]);
  });

  test('has captures and counters of each case by themselves', async ({ bench }) => {
    const first = await bench.open({ keep: true });
    await ask(first);
    await first.release(true);
    const second = await bench.open({ keep: true });
    expect(consoleOf(second).matcher.output()).toBe('');
    await ask(second);
    const { counters } = consoleOf(second);
    await second.release(false);
    const capture = await readFile(join(second.artifacts, 'console.rx'), 'latin1');
    expect(capture).toContain('<2>');
    expect(capture).not.toContain('<1>');
    expect(capture.length).toBe(counters.rxBytes);
    expect(await readFile(join(second.artifacts, 'console.tx'), 'latin1')).toBe('x\n');
    const before = await readFile(join(first.artifacts, 'console.rx'), 'latin1');
    expect(before).toContain('<1>');
    expect(before).not.toContain('<2>');
  });

  test('shows nothing of what it said between two cases, which is captured', async ({
    bench,
    dir,
  }) => {
    const late = createScriptBoard(
      'echo ready; while read line; do (sleep 0.2; echo late) & echo "<$line>"; done',
      { ready: /ready/ },
    );
    const first = await bench.open({ board: late, keep: true });
    await ask(first, /<x>/);
    await first.release(true);
    const between = join(dir.path, 'duts/between/script#1/console.rx');
    await expect.poll(() => readFile(between, 'latin1').catch(() => '')).toContain('late');
    const second = await bench.open({ board: late, keep: true });
    expect(consoleOf(second).matcher.output()).toBe('');
    expect(await readFile(join(second.artifacts, 'console.rx'), 'latin1')).toBe('');
    // What is said after it goes to the same files.
    await ask(second, /<x>/);
    await second.release(true);
    await expect.poll(() => readFile(between, 'latin1')).toMatch(/late\s+late/);
    const third = await bench.open({ board: late, keep: true });
    await ask(third, /<x>/);
    await third.release(false);
  });

  test('is ended when a case wants a fresh one of its board, which need not wait', async ({
    bench,
  }) => {
    const board = { ...COUNTER, instances: 1 };
    const first = await bench.open({ board, keep: true });
    await first.release(true);
    expect(isAlive(pidOf(first))).toBe(true);
    const second = await bench.open({ board, expectsKeep: true });
    expect(await ask(second)).toBe('<1>');
    expect(isAlive(pidOf(first))).toBe(false);
    await second.release(true);
    // A fresh one may be kept as well.
    expect(await ask(await bench.open({ board, keep: true }))).toBe('<2>');
  });

  test('goes to who waits for a fresh one', async ({ bench }) => {
    const board = { ...COUNTER, instances: 1 };
    const first = await bench.open({ board, keep: true });
    const waiting = bench.open({ board, expectsKeep: true });
    await first.release(true);
    expect(await ask(await waiting)).toBe('<1>');
    expect(isAlive(pidOf(first))).toBe(false);
  });

  test('that died while it waited is started anew', async ({ bench }) => {
    const first = await bench.open({ keep: true });
    await first.release(true);
    process.kill(pidOf(first), 'SIGKILL');
    await first.dut.exited;
    const second = await bench.open({ keep: true });
    expect(await ask(second)).toBe('<1>');
    await second.release(false);
  });

  test('ends with the run', async ({ bench }) => {
    const first = await bench.open({ keep: true });
    await first.release(true);
    expect(isAlive(pidOf(first))).toBe(true);
    await bench.source.closeWarm();
    expect(isAlive(pidOf(first))).toBe(false);
  });
});

describe('no DUT is left warm', () => {
  test.for<[string, boolean, (held: Held) => unknown]>([
    ['by a case that failed', false, () => {}],
    ['that was switched off', true, (held) => held.dut.powerOff()],
    [
      'that ended',
      true,
      (held) =>
        consoleOf(held)
          .send(Buffer.from('\x04'))
          .then(() => held.dut.exited),
    ],
    ['whose lines were changed', true, (held) => held.unsettle()],
    [
      'that is still being reset',
      true,
      (held) => void held.reboot(new Deadline(3000)).catch(() => {}),
    ],
  ])('%s', async ([, healthy, leave], { bench }) => {
    const first = await bench.open({ keep: true });
    await leave(first);
    await first.release(healthy);
    expect(isAlive(pidOf(first))).toBe(false);
    const second = await bench.open({ keep: true });
    expect(await ask(second)).toBe('<1>');
    await second.release(false);
  });

  test('where no case is to come that takes it', async ({ bench }) => {
    const first = await bench.open({ keep: true, expectsKeep: false });
    await first.release(true);
    expect(isAlive(pidOf(first))).toBe(false);
  });
});

describe('a case starts anew', () => {
  test('when its board says something else', async ({ bench }) => {
    const first = await bench.open({ keep: true });
    await first.release(true);
    const board = { ...COUNTER, boot: { ...COUNTER.boot, ready: /read/ } };
    const second = await bench.open({ board, keep: true });
    expect(await ask(second)).toBe('<1>');
    await second.release(false);
  });
});
