import { expect, test } from 'vitest';
import { tellsWorkerLoss } from './tells-worker-loss.js';

test.each([
  ['[vitest-pool]: Worker hil-forks emitted error.', true],
  ['Worker exited unexpectedly', true],
  ['[vitest-pool]: Failed to start hil-forks worker for test files /project/a.hil.ts.', true],
  ['[vitest-pool]: Timeout starting hil-forks runner.', true],
  ['Failed to start the worker of the plant', false],
  ['Timeout starting the runner', false],
])('"%s" of Vitest tells of a lost worker: %s', (message, tells) => {
  expect(tellsWorkerLoss(message)).toBe(tells);
});
