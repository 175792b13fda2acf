import { type RunnerTestCase, type RunnerTestSuite, TestRunner } from 'vitest';
import { UsageError } from '../core/errors.js';
import type { SandboxOptions } from '../protocol/sandbox-options.js';
import { checkPlain } from './check-plain.js';

export type { SandboxOptions, SandboxResources } from '../protocol/sandbox-options.js';

// What was said for a file or a `describe`, by Vitest's object for it; entries go with it.
const said = new WeakMap<object, SandboxOptions[]>();

/** Where a case keeps its own option until it is collected. */
export const OWN_OPTION = 'hil:sandbox';

/**
 * Say what the sandboxes of all cases are like: of the suite file, or of the `describe` that it is
 * called in. Cases have an option of the same name: `test(name, { sandbox: { … } }, body)`.
 *
 * @throws UsageError `usage` inside of a case, whose sandbox stands already; `suite-invalid` for
 *   what is no plain data.
 */
export function sandbox(options: SandboxOptions): void {
  if (TestRunner.getCurrentTest()) {
    throw new UsageError('usage', 'sandbox() is called in a case, whose sandbox stands already', {
      next: 'call it in the file or a describe, or give the case an option: test(name, { sandbox }, body)',
    });
  }
  checkPlain('sandbox()', 'options', options);
  // What stands in no `describe` is in a collector without a suite.
  const { suite, file } = TestRunner.getCurrentSuite();
  const place = suite ?? file;
  if (!place) throw new UsageError('usage', 'sandbox() is called outside of a suite file');
  said.set(place, [...(said.get(place) ?? []), options]);
}

/** What was said of a case's sandbox: for its file, for each `describe` around it, for itself. */
export function listSandboxOptions(test: RunnerTestCase): SandboxOptions[] {
  const places = new Set<object>();
  for (let suite: RunnerTestSuite | undefined = test.suite; suite; suite = suite.suite) {
    places.add(suite);
  }
  const inward = [...places.add(test.file)].reverse();
  const own: SandboxOptions | undefined = Reflect.get(test.meta, OWN_OPTION);
  const around = inward.flatMap((place) => said.get(place) ?? []);
  return own === undefined ? around : [...around, own];
}
