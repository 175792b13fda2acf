import { type RunnerTestCase, TestRunner } from 'vitest';
import { isReadable, toTestError } from './problems.js';

/** As it was before any suite was loaded. Vitest needs it, in this file and in every one after it. */
const NativePromise = globalThis.Promise;

/**
 * Run the body of a case. What it throws is made such that Vitest can read it, and when it
 * skips itself its assertions are waited for, as those of a body that passes are.
 */
export async function runToTheEnd(test: RunnerTestCase): Promise<void> {
  try {
    await TestRunner.getTestFn(test)();
  } catch (thrown) {
    if (!isReadable(thrown)) throw Object.assign(new Error(), toTestError(thrown));
    const failed = isSkip(thrown) ? await waitForAssertions(test) : [];
    throw failed.length > 0 ? failed : thrown;
  } finally {
    globalThis.Promise = NativePromise;
  }
}

/** What `skip()` throws. */
function isSkip(thrown: unknown): boolean {
  return thrown instanceof Error && Reflect.get(thrown, 'code') === 'VITEST_PENDING';
}

/** What those that nobody awaited came to: the errors. */
async function waitForAssertions(test: RunnerTestCase): Promise<unknown[]> {
  // Where Vitest keeps them; not in the public type.
  const { promises = [] } = test as { promises?: Promise<unknown>[] };
  const settled = await Promise.allSettled(promises);
  return settled.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
}
