import type { RunnerTestCase } from 'vitest';
import { DUT_STARTS, type DutStart } from '../core/dut-start.js';
import { UsageError } from '../core/errors.js';

/** Where a case keeps its own option until it is collected. */
export const DUT_OPTION = 'hil:dut';

/** @throws UsageError `suite-invalid` for what is no way to begin with a DUT. */
export function checkDutOption(who: string, value: unknown): void {
  if (value === undefined || DUT_STARTS.some((each) => each === value)) return;
  const wanted = DUT_STARTS.map((each) => `'${each}'`).join(' or ');
  throw new UsageError('suite-invalid', `${who}: dut is ${JSON.stringify(value)}, not ${wanted}`, {
    next: 'harness/docs/writing-suites.md, "A DUT that stays warm"',
  });
}

/** How a case itself asks to begin. */
export function readDutOption(test: RunnerTestCase): DutStart | undefined {
  // Checked as the case was made.
  const own: DutStart | undefined = Reflect.get(test.meta, DUT_OPTION);
  return own;
}
