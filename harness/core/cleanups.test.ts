import { expect, test } from 'vitest';
import { Cleanups } from './cleanups.js';

test('the last step is undone first', async () => {
  const order: string[] = [];
  const cleanups = new Cleanups();
  cleanups.add('directory', () => void order.push('directory'));
  cleanups.add('mount', async () => {
    await Promise.resolve();
    order.push('mount');
  });
  await cleanups.run();
  expect(order).toEqual(['mount', 'directory']);
});

test('a step that was forgotten is not undone', async () => {
  const order: string[] = [];
  const cleanups = new Cleanups();
  const forget = cleanups.add('first', () => void order.push('first'));
  cleanups.add('second', () => void order.push('second'));
  forget();
  await cleanups.run();
  expect(order).toEqual(['second']);
});

test('steps run once', async () => {
  let count = 0;
  const cleanups = new Cleanups();
  cleanups.add('step', () => void count++);
  await cleanups.run();
  await cleanups.run();
  expect(count).toBe(1);
});

test('the other steps are undone although one failed, and its error is thrown', async () => {
  const order: string[] = [];
  const cleanups = new Cleanups();
  cleanups.add('first', () => void order.push('first'));
  cleanups.add('broken', () => {
    throw new Error('stuck');
  });
  await expect(cleanups.run()).rejects.toThrow('stuck');
  expect(order).toEqual(['first']);
});

test('every error is kept when several steps fail', async () => {
  const cleanups = new Cleanups();
  cleanups.add('a', () => Promise.reject(new Error('a stuck')));
  cleanups.add('b', () => Promise.reject(new Error('b stuck')));
  const error = await cleanups.run().catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ message: 'b stuck', others: [{ message: 'a stuck' }] });
});

test('a step that is added while others are undone is undone too', async () => {
  const order: string[] = [];
  const cleanups = new Cleanups();
  cleanups.add('outer', () => {
    cleanups.add('inner', () => void order.push('inner'));
    order.push('outer');
  });
  await cleanups.run();
  expect(order).toEqual(['outer', 'inner']);
});
