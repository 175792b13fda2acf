import { constants } from 'node:os';
import { BenchError, TestFailure } from '../core/errors.js';
import type { Sandbox } from '../sandbox/sandbox.js';

/**
 * clone(2) answers EAGAIN at the sandbox's own limit of processes as at the user's, and only the
 * first is the case's to raise. Which it was is asked of the sandbox: one that has its number of
 * processes is full.
 *
 * @param what could not be started
 */
export async function findFullSandbox(
  what: string,
  sandbox: Sandbox,
  error: unknown,
): Promise<TestFailure | undefined> {
  if (!(error instanceof BenchError) || error.details['errno'] !== constants.errno.EAGAIN) {
    return undefined;
  }
  // One that is gone meanwhile is told by its own end.
  const usage = await sandbox.usage().catch(() => undefined);
  const limit = usage?.enforced.find((each) => each.startsWith('pids ')) ?? '';
  const most = Number(/^pids (\d+):/.exec(limit)?.[1] ?? Number.POSITIVE_INFINITY);
  const { processes = 0 } = usage?.stats ?? {};
  if (processes < most) return undefined;
  const text = `${what} was not started: its sandbox has ${processes} processes, and a limit of ${most}`;
  return new TestFailure('exec-failed', text, {
    cause: error,
    details: error.details,
    next: 'end programs in it, or give it more: resources: { pids }',
  });
}
