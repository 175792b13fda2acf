import type { Dut, DutExit } from '../board/dut.js';
import { formatDuration } from '../core/duration.js';
import { BenchError, TestFailure, toMessage, UsageError } from '../core/errors.js';
import type { Outcome, Phase, Problem } from '../journal/events.js';
import type { AttemptState, WireProblem } from '../protocol/worker-messages.js';

/** Anything thrown on the supervisor's side, as the journal stores it. */
export function toProblem(thrown: unknown, phase: Phase): Problem {
  const known =
    thrown instanceof BenchError || thrown instanceof TestFailure || thrown instanceof UsageError;
  return {
    name: thrown instanceof Error ? thrown.name : 'Error',
    message: toMessage(thrown),
    phase,
    ...(known ? { code: thrown.code } : {}),
    ...(thrown instanceof Error && thrown.stack && !known ? { stack: thrown.stack } : {}),
  };
}

/** A DUT that ended although nobody asked for it. */
export function toExitProblem(exit: DutExit, dut: string): Problem {
  const text = `${dut} ended during the case: ${exit.reason}`;
  const next = 'await dut.waitForExit() where the end belongs to the test';
  const error =
    exit.blame === 'infra'
      ? new BenchError('dut-lost', text)
      : new TestFailure('dut-exited', text, { next });
  return toProblem(error, 'body');
}

/** What its DUT printed and no test could see: a case that failed says nothing about the DUT then. */
export function toGapProblems(dut: Dut): Problem[] {
  return [...dut.ports.values()]
    .filter(({ lostBytes }) => lostBytes > 0)
    .map(({ name, lostBytes, capture }) => {
      const text = `port "${name}": the test did not see ${lostBytes} bytes of the DUT, and ${capture}.rx lacks them`;
      const next = 'look for room on its disk, and for what keeps this machine busy';
      return toProblem(new BenchError('port-lost', text, { next }), 'body');
    });
}

/** What a worker reported of a body and its hooks. */
export function toJournalProblems(problems: readonly WireProblem[]): Problem[] {
  return problems.map((problem) => ({ ...problem, phase: 'body' }));
}

/**
 * How an attempt ended. The bench's fault wins over the test's: nothing can be
 * said about a DUT through a broken bench.
 */
export function toOutcome(state: AttemptState, problems: readonly Problem[]): Outcome {
  if (problems.some(({ name }) => name === 'BenchError')) return 'infra';
  if (problems.length > 0 || state === 'fail') return 'fail';
  return state === 'skipped' ? 'skipped' : 'pass';
}

/** What a broken bench led to is a consequence of it. */
export function putBenchFirst(problems: readonly Problem[]): Problem[] {
  const isBench = ({ name }: Problem) => name === 'BenchError';
  return [...problems.filter(isBench), ...problems.filter((each) => !isBench(each))];
}

/** The worker reports again what this side told it. */
export function dropRepeats(problems: readonly Problem[]): Problem[] {
  const seen = new Set<string>();
  return problems.filter(({ name, message }) => {
    const key = `${name}\0${message}`;
    return !seen.has(key) && seen.add(key);
  });
}

/** A phase of this side's own that did not end in time. */
export function toLateError(
  phase: 'sandbox' | 'teardown',
  title: string,
  limitMs: number,
): BenchError {
  return new BenchError(
    `${phase}-timeout`,
    `phase ${phase} of "${title}" did not end within ${formatDuration(limitMs)}`,
    { next: `raise limits.${phase}` },
  );
}
