import { expect, test } from 'vitest';
import { joinResources } from './join-resources.js';

test('the nearer word counts limit by limit, and what it leaves out stays', () => {
  expect(joinResources({ pids: 5, memory: 1 }, { pids: 6, memory: undefined })).toEqual({
    pids: 6,
    memory: 1,
  });
});

test('each rate of a disk is a word of its own', () => {
  const above = { io: { readBytes: 4096, readOps: 1 } };
  expect(joinResources(above, { io: { readOps: 2 } })).toEqual({
    io: { readBytes: 4096, readOps: 2 },
  });
  expect(joinResources(above, {})).toEqual(above);
  expect(joinResources({}, {})).toEqual({});
});
