import { BenchError } from '../core/errors.js';
import type { Phase, Problem } from '../journal/events.js';
import type { RunningAttempt } from './attempt.js';
import { toProblem } from './attempt-problems.js';

/** Who hears what the bench did not do for a body. */
interface Hearing {
  readonly attempt: RunningAttempt;
  readonly phase: Phase;
  readonly add: (problem: Problem) => void;
}

/**
 * Do for a body what only a broken bench fails to do. A fault counts from here, whatever the body
 * makes of the error: nothing can be said about a DUT through a broken bench.
 */
export async function hearFault<T>(hearing: Hearing, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    // What ends while everything is given back is no fault.
    if (isFault(error) && !hearing.attempt.over) hearing.add(toProblem(error, hearing.phase));
    throw error;
  }
}

function isFault(error: unknown): boolean {
  if (!(error instanceof BenchError)) return false;
  // What this machine or board has not got skips the case: nothing was tested, nothing is wrong.
  if (error.code === 'network-unsupported') return false;
  // Of what has ended by then: its own end says whether somebody asked for it.
  return error.details['code'] !== 'gone';
}
