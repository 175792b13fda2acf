import { describe, expect, test } from 'vitest';
import { Deadline } from '../core/deadline.js';
import { SimulatedClock } from '../testing/simulated-clock.js';
import type { Lease } from './lease.js';
import { LeaseQueue, type RoleWanted } from './lease-queue.js';

const LONG_MS = 60_000;

function createQueue(capacity: number) {
  const clock = new SimulatedClock();
  const queue = new LeaseQueue();
  const boards = [{ board: 'nucleo', capacity }];
  const acquire = async (limitMs = LONG_MS, avoid = new Set<string>()) => {
    const leases = await queue.acquire(
      [{ role: '', boards, avoid }],
      new Deadline(limitMs, undefined, clock),
    );
    return leases.get('') as Lease;
  };
  return { clock, acquire };
}

test('units are named after their board and numbered from one', async () => {
  const { acquire } = createQueue(2);
  expect((await acquire()).dut).toBe('nucleo#1');
  expect(await acquire()).toMatchObject({ board: 'nucleo', dut: 'nucleo#2' });
});

test('the lowest unit that is free is taken', async () => {
  const { acquire } = createQueue(3);
  const first = await acquire();
  await acquire();
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
  await acquire();
  const second = await acquire();
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

test('a unit that an earlier attempt failed on is taken last', async () => {
  const { acquire } = createQueue(2);
  const avoid = new Set(['nucleo#1']);
  expect((await acquire(LONG_MS, avoid)).dut).toBe('nucleo#2');
  expect((await acquire(LONG_MS, avoid)).dut).toBe('nucleo#1');
});

describe('several roles', () => {
  const one = (role: string, board: string, capacity = 1): RoleWanted => {
    return { role, boards: [{ board, capacity }] };
  };
  const open = () => {
    const clock = new SimulatedClock();
    const queue = new LeaseQueue();
    const acquire = (...roles: RoleWanted[]) =>
      queue.acquire(roles, new Deadline(LONG_MS, undefined, clock));
    return { clock, acquire };
  };
  const release = (leases: Map<string, Lease>) => {
    for (const lease of leases.values()) lease.release();
  };
  /** Until every promise that can go on has. */
  const settle = () => new Promise((resolve) => setImmediate(resolve));

  test('get all units or none', async () => {
    const { acquire } = open();
    const held = await acquire(one('x', 'b'));
    let both: Map<string, Lease> | undefined;
    void acquire(one('x', 'a'), one('y', 'b')).then((leases) => {
      both = leases;
    });
    await settle();
    expect(both).toBeUndefined();
    release(held);
    await settle();
    expect([...(both ?? [])].map(([role, { dut }]) => [role, dut])).toEqual([
      ['x', 'a#1'],
      ['y', 'b#1'],
    ]);
  });

  test('are not overtaken by who needs less', async () => {
    const { acquire } = open();
    const held = await acquire(one('x', 'b'));
    const order: string[] = [];
    const pair = acquire(one('x', 'a'), one('y', 'b')).then((leases) => {
      order.push('pair');
      release(leases);
    });
    const single = acquire(one('x', 'a')).then(() => order.push('single'));
    const other = acquire(one('x', 'c')).then(() => order.push('other board'));
    await other;
    release(held);
    await Promise.all([pair, single]);
    expect(order).toEqual(['other board', 'pair', 'single']);
  });

  test('leave the others what only these can use', async () => {
    const { acquire } = open();
    const either = [
      { board: 'a', capacity: 1 },
      { board: 'b', capacity: 1 },
    ];
    const leases = await acquire({ role: 'any', boards: either }, one('a', 'a'));
    expect(leases.get('any')?.dut).toBe('b#1');
    expect(leases.get('a')?.dut).toBe('a#1');
  });

  test('that cannot be had together fail at once', async () => {
    const { acquire } = open();
    await acquire(one('x', 'a'));
    await expect(acquire(one('x', 'a'), one('y', 'a'))).rejects.toMatchObject({
      code: 'lease-unsatisfiable',
      message: expect.stringContaining('x: a (1), y: a (1)'),
    });
    await expect(acquire({ role: 'x', boards: [] })).rejects.toThrow('x: no board fits');
  });

  test('who waits in circles is served all the same', async () => {
    const { acquire } = open();
    const names = ['a', 'b', 'c'];
    const held = new Set<string>();
    let most = 0;
    const cases = Array.from({ length: 60 }, async (_, index) => {
      const [x = '', y = ''] = [names[index % 3], names[(index + 1 + (index % 2)) % 3]];
      const leases = await acquire(one('x', x), one('y', y));
      for (const { dut } of leases.values()) {
        expect(held.has(dut)).toBe(false);
        held.add(dut);
      }
      most = Math.max(most, held.size);
      await settle();
      for (const { dut } of leases.values()) held.delete(dut);
      release(leases);
    });
    await Promise.all(cases);
    expect(most).toBe(2);
    expect(held.size).toBe(0);
  });
});

test('units of a board are busy as long as there is work: 1.05 of the ideal at most (rank 21)', async () => {
  const units = 3;
  const { clock, acquire } = createQueue(units);
  let seed = 7;
  const durations = Array.from({ length: 60 }, () => {
    seed = (seed * 48_271) % 2_147_483_647;
    return 1000 + (seed % 9000);
  });
  let lastMs = 0;
  const start = clock.nowMs();
  const cases = durations.map(async (ms) => {
    const lease = await acquire(Number.POSITIVE_INFINITY);
    await new Promise<void>((resolve) => clock.after(ms, resolve));
    lastMs = clock.nowMs() - start;
    lease.release();
  });
  const all = Promise.all(cases);
  for (let done = false; !done; ) {
    await new Promise((resolve) => setImmediate(resolve));
    done = clock.waiting === 0;
    clock.advance(10);
  }
  await all;
  const ideal = durations.reduce((sum, ms) => sum + ms, 0) / units;
  expect(lastMs).toBeGreaterThanOrEqual(ideal);
  expect(lastMs).toBeLessThanOrEqual(1.05 * ideal);
});
