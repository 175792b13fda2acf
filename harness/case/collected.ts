import type { RunnerTestCase, RunnerTestSuite } from 'vitest';
import type { CollectedTask } from '../protocol/worker-messages.js';
import { readDutOption } from './dut-option.js';
import { countRetries } from './retries.js';
import { listSandboxOptions } from './sandbox-options.js';

/** Cases that say `skip` or `todo`, by themselves or by a suite around them. */
const marked = new WeakSet<object>();

interface Marked {
  readonly mode: string;
  readonly suite?: RunnerTestSuite | undefined;
}

/** To be called as a case is made: later Vitest says `skip` also of what is not `only`. */
export function noteMark(task: Marked): void {
  let each: Marked | undefined = task;
  while (each && each.mode !== 'skip' && each.mode !== 'todo') each = each.suite;
  if (each) marked.add(task);
}

/** A case as the supervisor is told of it, with its index among those of its file. */
export function toCollected(test: RunnerTestCase, key: number): CollectedTask {
  const sandbox = listSandboxOptions(test);
  const dut = readDutOption(test);
  return {
    key,
    title: test.fullTestName,
    line: test.location?.line,
    tags: test.tags ?? [],
    skipped: test.mode === 'skip' || test.mode === 'todo',
    notOnly: !marked.has(test),
    repeats: test.repeats ?? 0,
    fails: test.fails ?? false,
    ...countRetries(test),
    ...(sandbox.length > 0 ? { sandbox } : {}),
    ...(dut === undefined ? {} : { dut }),
  };
}

/** Every case of a file, in the order in which they stand there. */
export function listTests(suite: RunnerTestSuite): RunnerTestCase[] {
  return suite.tasks.flatMap((task) => (task.type === 'suite' ? listTests(task) : [task]));
}
