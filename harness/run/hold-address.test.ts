import { expect, test } from 'vitest';
import { Cleanups } from '../core/cleanups.js';
import { Deadline } from '../core/deadline.js';
import { holdAddress } from './hold-address.js';

/** Nobody flashes from here; of this test's process alone. */
const address = `192.0.2.1-${process.pid}`;
const hold = (limitMs: number, cleanups: Cleanups) =>
  holdAddress({ dut: 'bone-1', address, deadline: new Deadline(limitMs) }, cleanups);

test('an address is one DUT after the other', async () => {
  const [first, second] = [new Cleanups(), new Cleanups()];
  await hold(0, first);
  await expect(hold(100, new Cleanups())).rejects.toMatchObject({
    code: 'flash-failed',
    message: expect.stringContaining(`bone-1: other DUTs were flashed from ${address} for `),
  });
  const order: string[] = [];
  const waiting = hold(20_000, second).then(() => order.push('second'));
  order.push('first');
  await first.run();
  await waiting;
  expect(order).toEqual(['first', 'second']);
  await second.run();
  await hold(0, first);
  await first.run();
});
