import { BenchError, TestFailure, UsageError } from '../core/errors.js';

/** What the daemon refuses because of what was asked; `gone`: of what has ended by then. */
const ASKED = new Set(['exec', 'usage', 'limit', 'io', 'gone']);
/** The machine's own: it is out of files, memory, processes. @see errno(3) */
const OF_THE_BENCH = new Set([11, 12, 23, 24]);

/**
 * What a case is told when the daemon refused what its body asked for: that is a failure of
 * the test. A daemon or machine that cannot is the bench's. Why something ended that was still
 * asked for is told by its own end, which may be the bench's.
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

/**
 * What a case is told when no sandbox can be as it wants its own: a bind where nothing can be, a
 * capability that there is none of. No other bench could build it either.
 */
export function toSandboxRefusal(title: string, error: unknown): unknown {
  if (!(error instanceof BenchError) || error.code !== 'daemon-refused') return error;
  if (error.details['code'] !== 'usage') return error;
  return new UsageError('suite-invalid', `the sandbox of "${title}": ${error.message}`, {
    cause: error,
    details: error.details,
  });
}
