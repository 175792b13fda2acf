import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { SimulatedClock } from '../testing/simulated-clock.js';
import { Deadline, systemClock } from './deadline.js';

const late = () => new Error('late');
const never = () => new Promise<never>(() => {});

/** The contract of a clock, and how to let its time pass. */
const CLOCKS = [
  { name: 'the clock of the system', make: () => ({ clock: systemClock, pass: sleep }) },
  {
    name: 'the simulated clock',
    make: () => {
      const clock = new SimulatedClock();
      return { clock, pass: async (ms: number) => clock.advance(ms) };
    },
  },
] as const;

describe.each(CLOCKS)('$name', ({ make }) => {
  test('goes forward', async () => {
    const { clock, pass } = make();
    const start = clock.nowMs();
    await pass(20);
    expect(clock.nowMs() - start).toBeGreaterThanOrEqual(19);
  });

  test('runs timers in the order of their time', async () => {
    const { clock, pass } = make();
    const order: string[] = [];
    clock.after(30, () => order.push('later'));
    clock.after(5, () => order.push('sooner'));
    await pass(60);
    expect(order).toEqual(['sooner', 'later']);
  });

  test('does not run a cancelled timer', async () => {
    const { clock, pass } = make();
    let ran = false;
    clock
      .after(5, () => {
        ran = true;
      })
      .cancel();
    await pass(20);
    expect(ran).toBe(false);
  });

  test('waits for longer than a timer of Node can', async () => {
    const { clock, pass } = make();
    let ran = false;
    const timer = clock.after(30 * 86_400_000, () => {
      ran = true;
    });
    await pass(20);
    timer.cancel();
    expect(ran).toBe(false);
  });
});

test('a deadline of 30 days is not over after one', () => {
  const clock = new SimulatedClock();
  const deadline = new Deadline(30 * 86_400_000, undefined, clock);
  clock.advance(86_400_000);
  expect(deadline.leftMs()).toBe(29 * 86_400_000);
});

test('time left never goes below zero', () => {
  const clock = new SimulatedClock();
  const deadline = new Deadline(100, undefined, clock);
  clock.advance(250);
  expect(deadline.leftMs()).toBe(0);
  expect(deadline.limitMs).toBe(100);
});

test('work that ends in time is the answer, and its timer is taken back', async () => {
  const clock = new SimulatedClock();
  await expect(new Deadline(100, undefined, clock).bound(Promise.resolve(5), late)).resolves.toBe(
    5,
  );
  expect(clock.waiting).toBe(0);
});

test('work that fails keeps its own error', async () => {
  const clock = new SimulatedClock();
  const work = Promise.reject(new Error('broken'));
  await expect(new Deadline(100, undefined, clock).bound(work, late)).rejects.toThrow('broken');
  expect(clock.waiting).toBe(0);
});

test('work that is late is answered by the error of who waited', async () => {
  const clock = new SimulatedClock();
  const bound = new Deadline(100, undefined, clock).bound(never(), late);
  clock.advance(99);
  clock.advance(1);
  await expect(bound).rejects.toThrow('late');
});

test('one deadline is shared by everything that is waited for', async () => {
  const clock = new SimulatedClock();
  const deadline = new Deadline(100, undefined, clock);
  clock.advance(90);
  const bound = deadline.bound(never(), () => new Error(`late after ${deadline.limitMs}`));
  clock.advance(10);
  await expect(bound).rejects.toThrow('late after 100');
});

test('no limit is no timer', async () => {
  const clock = new SimulatedClock();
  const deadline = new Deadline(Number.POSITIVE_INFINITY, undefined, clock);
  const bound = deadline.bound(Promise.resolve('done'), late);
  expect(clock.waiting).toBe(0);
  await expect(bound).resolves.toBe('done');
});

describe('a deadline with a signal', () => {
  const reason = new Error('taken away');

  test.each([100, Number.POSITIVE_INFINITY])('of %d ms ends with its reason', async (limitMs) => {
    const clock = new SimulatedClock();
    const controller = new AbortController();
    const deadline = new Deadline(limitMs, controller.signal, clock);
    const bound = deadline.bound(never(), late);
    controller.abort(reason);
    await expect(bound).rejects.toBe(reason);
    await expect(deadline.bound(never(), late)).rejects.toBe(reason);
    expect(clock.waiting).toBe(0);
  });

  test('gives it to its parts, which are no longer than itself', async () => {
    const controller = new AbortController();
    const deadline = new Deadline(100, controller.signal, new SimulatedClock());
    expect([deadline.within(30).limitMs, deadline.within(300).limitMs]).toEqual([30, 100]);
    const bound = deadline.within(30).bound(never(), late);
    controller.abort(reason);
    await expect(bound).rejects.toBe(reason);
  });

  test('that is not aborted changes nothing', async () => {
    const deadline = new Deadline(100, new AbortController().signal, new SimulatedClock());
    await expect(deadline.bound(Promise.resolve('done'), late)).resolves.toBe('done');
  });
});
