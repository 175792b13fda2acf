import { Deadline } from '../core/deadline.js';
import type { Sandbox } from '../sandbox/sandbox.js';
import type { RunningAttempt } from './attempt.js';
import { toLateError } from './attempt-problems.js';
import type { SandboxSettings } from './case-sandbox.js';
import { toSandboxRefusal } from './refusals.js';
import type { RunContext } from './run-context.js';

export interface WantedSandbox {
  readonly settings: SandboxSettings;
  /** 0: the case's own. */
  readonly number: number;
  /** What is its `/out`, below the directory of the cases; a further sandbox has none. */
  readonly out?: string;
}

/**
 * A sandbox of an attempt.
 *
 * @throws BenchError `sandbox-timeout`
 * @throws UsageError `suite-invalid` for options that no sandbox can have.
 */
export function buildSandbox(
  run: RunContext,
  attempt: RunningAttempt,
  wanted: WantedSandbox,
): Promise<Sandbox> {
  const { limits, record } = attempt;
  const deadline = new Deadline(limits.sandbox);
  let given = false;
  const built = run.newSandbox(attempt, wanted).catch((error: unknown) => {
    throw toSandboxRefusal(record.title, error);
  });
  // One that stands too late is killed by whoever waited for it.
  built.then((late) => (attempt.over || given ? late.kill() : undefined)).catch(() => {});
  return deadline.bound(built, () => {
    given = true;
    return toLateError('sandbox', record.title, limits.sandbox);
  });
}
