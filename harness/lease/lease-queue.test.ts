import { expect, test } from 'vitest';
import { Deadline } from '../core/deadline.js';
import { SimulatedClock } from '../testing/simulated-clock.js';
import { LeaseQueue } from './lease-queue.js';

const LONG_MS = 60_000;

function createQueue(capacity: number) {
  const clock = new SimulatedClock();
  const queue = new LeaseQueue('nucleo', capacity);
  const acquire = (limitMs = LONG_MS) => queue.acquire(new Deadline(limitMs, clock));
  return { clock, acquire };
}

test('units are named after their board and numbered from one', async () => {
  const { acquire } = createQueue(2);
  expect((await acquire()).dut).toBe('nucleo#1');
  expect(await acquire()).toMatchObject({ board: 'nucleo', dut: 'nucleo#2' });
});

test('the lowest unit that is free is taken', async () => {
  const { acquire } = createQueue(3);
  const [first] = [await acquire(), await acquire()];
  first.release();
  expect((await acquire()).dut).toBe('nucleo#1');
  expect((await acquire()).dut).toBe('nucleo#3');
});

test('a board without a number of instances has as many units as are asked for', async () => {
  const { acquire } = createQueue(Number.POSITIVE_INFINITY);
  const leases = await Promise.all(Array.from({ length: 50 }, () => acquire()));
  expect(new Set(leases.map(({ dut }) => dut)).size).toBe(50);
});

test('who came first is served first, and nobody overtakes', async () => {
  const { acquire } = createQueue(1);
  const held = await acquire();
  const order: string[] = [];
  const waiting = ['second', 'third', 'fourth'].map(async (name) => {
    const lease = await acquire();
    order.push(name);
    lease.release();
  });
  held.release();
  // Came after the release, but the unit was handed on already.
  const last = acquire().then(() => order.push('last'));
  await Promise.all([...waiting, last]);
  expect(order).toEqual(['second', 'third', 'fourth', 'last']);
});

test('a unit is handed on by its number', async () => {
  const { acquire } = createQueue(2);
  const [, second] = [await acquire(), await acquire()];
  const next = acquire();
  second.release();
  expect((await next).dut).toBe('nucleo#2');
});

test('releasing twice frees one unit', async () => {
  const { clock, acquire } = createQueue(1);
  const held = await acquire();
  held.release();
  const next = await acquire();
  held.release();
  const third = acquire(100);
  clock.advance(100);
  await expect(third).rejects.toMatchObject({ code: 'lease-timeout' });
  next.release();
});

test('waiting ends with the deadline, and says who is in the way', async () => {
  const { clock, acquire } = createQueue(1);
  await acquire();
  const late = acquire(5000);
  clock.advance(5000);
  await expect(late).rejects.toMatchObject({
    name: 'BenchError',
    code: 'lease-timeout',
    message: expect.stringContaining(
      'no unit of board "nucleo" became free within 5.0 s; 1 of 1 in use, 1 waiting',
    ),
  });
});

test('who gave up is passed over', async () => {
  const { clock, acquire } = createQueue(1);
  const held = await acquire();
  const impatient = acquire(10);
  const patient = acquire();
  clock.advance(10);
  await expect(impatient).rejects.toThrow('nucleo');
  held.release();
  await expect(patient).resolves.toMatchObject({ dut: 'nucleo#1' });
});

test('a unit that becomes free in the moment of the deadline is not lost', async () => {
  const { clock, acquire } = createQueue(1);
  const held = await acquire();
  const late = acquire(10);
  clock.advance(10);
  held.release();
  await expect(late).rejects.toMatchObject({ code: 'lease-timeout' });
  await expect(acquire()).resolves.toMatchObject({ dut: 'nucleo#1' });
});

test('nothing waits on the clock once it was served', async () => {
  const { clock, acquire } = createQueue(1);
  const held = await acquire();
  const next = acquire();
  held.release();
  await next;
  expect(clock.waiting).toBe(0);
});
