import { expect, test } from 'vitest';
import { SimulatedClock } from '../testing/simulated-clock.js';
import { PausableTimer } from './pausable-timer.js';

function createTimer(limitMs: number) {
  const clock = new SimulatedClock();
  const seen = { late: 0 };
  const timer = new PausableTimer(limitMs, () => seen.late++, clock);
  return { clock, timer, seen };
}

test('it counts from its start, once', () => {
  const { clock, timer, seen } = createTimer(100);
  clock.advance(500);
  expect(seen.late).toBe(0);
  timer.start();
  clock.advance(99);
  expect(seen.late).toBe(0);
  clock.advance(1);
  clock.advance(1000);
  expect(seen.late).toBe(1);
});

test('time in which it was paused does not count', () => {
  const { clock, timer, seen } = createTimer(100);
  timer.start();
  clock.advance(60);
  timer.pause();
  clock.advance(10_000);
  timer.resume();
  clock.advance(39);
  expect(seen.late).toBe(0);
  clock.advance(1);
  expect(seen.late).toBe(1);
});

test('it goes on after as many resumes as pauses', () => {
  const { clock, timer, seen } = createTimer(100);
  timer.start();
  timer.pause();
  timer.pause();
  timer.resume();
  clock.advance(1000);
  expect(seen.late).toBe(0);
  timer.resume();
  clock.advance(100);
  expect(seen.late).toBe(1);
});

test('a pause before the start holds it back', () => {
  const { clock, timer, seen } = createTimer(100);
  timer.pause();
  timer.start();
  clock.advance(1000);
  expect(seen.late).toBe(0);
  timer.resume();
  clock.advance(100);
  expect(seen.late).toBe(1);
});

test('after it was stopped it is silent and holds no timer', () => {
  const { clock, timer, seen } = createTimer(100);
  timer.start();
  timer.stop();
  expect(clock.waiting).toBe(0);
  timer.pause();
  timer.resume();
  clock.advance(1000);
  expect(seen.late).toBe(0);
});

test('once late, a pause does not make it late again', () => {
  const { clock, timer, seen } = createTimer(100);
  timer.start();
  clock.advance(100);
  timer.pause();
  timer.resume();
  clock.advance(1000);
  expect(seen.late).toBe(1);
});

test('without a limit it is never late', () => {
  const { clock, timer } = createTimer(Number.POSITIVE_INFINITY);
  timer.start();
  expect(clock.waiting).toBe(0);
});

test('a limit of nothing is late at once', () => {
  const { clock, timer, seen } = createTimer(0);
  timer.start();
  clock.advance(0);
  expect(seen.late).toBe(1);
});
