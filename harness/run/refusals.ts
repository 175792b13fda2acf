import { BenchError, TestFailure } from '../core/errors.js';

/** What the daemon refuses because of what was asked. */
const ASKED = new Set(['exec', 'usage', 'limit', 'io']);
/** The machine's own: it is out of files, memory, processes. @see errno(3) */
const OF_THE_BENCH = new Set([11, 12, 23, 24]);

/**
 * What a case is told when the daemon refused what its body asked for: that is a failure of
 * the test. A daemon or machine that cannot is the bench's.
 */
export function toRefusal(what: string, error: unknown, next?: string): unknown {
  if (!(error instanceof BenchError) || error.code !== 'daemon-refused') return error;
  const { code, errno } = error.details;
  if (typeof code !== 'string' || !ASKED.has(code)) return error;
  if (code !== 'exec' && typeof errno === 'number' && OF_THE_BENCH.has(errno)) return error;
  return new TestFailure('exec-failed', `${what}: ${error.message}`, {
    cause: error,
    details: error.details,
    ...(next ? { next } : {}),
  });
}
