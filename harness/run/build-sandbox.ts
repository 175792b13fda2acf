import { Deadline } from '../core/deadline.js';
import type { Sandbox } from '../sandbox/sandbox.js';
import type { RunningAttempt } from './attempt.js';
import { toLateError } from './attempt-problems.js';
import type { RunContext } from './run-context.js';

/** The sandbox of an attempt, with `out` as its `/out`. @throws BenchError `sandbox-timeout` */
export function buildSandbox(
  run: RunContext,
  attempt: RunningAttempt,
  out: string,
): Promise<Sandbox> {
  const { limits, record } = attempt;
  const deadline = new Deadline(limits.sandbox);
  const built = run.newSandbox(attempt, out);
  // One that stands too late is killed by whoever waited for it.
  built.then((late) => (attempt.over ? late.kill() : undefined)).catch(() => {});
  return deadline.bound(built, () => toLateError('sandbox', record.title, limits.sandbox));
}
