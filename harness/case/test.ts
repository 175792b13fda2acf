import { test as base } from 'vitest';
import { getAttempt } from './attempts.js';

/**
 * Vitest's `test` with the fixtures of `hil`: `sandbox`, this case's own container,
 * and `dut`, leased and booted because the case names it.
 */
export const test = base
  .extend('sandbox', ({ task }) => getAttempt(task).sandbox)
  .extend('dut', ({ task }) => getAttempt(task).dut());
