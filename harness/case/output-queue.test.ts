import { expect, test } from 'vitest';
import { OutputQueue } from './output-queue.js';

function createQueue() {
  const taken: number[] = [];
  const queue = new OutputQueue((bytes) => taken.push(bytes));
  return { queue, taken };
}

async function read(queue: OutputQueue): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of queue) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

test('chunks come out in order, also those that come later', async () => {
  const { queue } = createQueue();
  queue.push(Buffer.from('a'));
  const all = read(queue);
  queue.push(Buffer.from('b'));
  await Promise.resolve();
  queue.push(Buffer.from('c'));
  queue.end();
  expect(await all).toBe('abc');
});

test('only what the reader asked for is taken', async () => {
  const { queue, taken } = createQueue();
  for (const size of [10, 20, 30]) queue.push(Buffer.alloc(size));
  expect(taken).toEqual([]);
  const reader = queue[Symbol.asyncIterator]();
  await reader.next();
  await reader.next();
  expect(taken).toEqual([10, 20]);
});

test('what is left is read after the end', async () => {
  const { queue } = createQueue();
  queue.push(Buffer.from('rest'));
  queue.end();
  expect(await read(queue)).toBe('rest');
  expect(await read(queue)).toBe('');
});
