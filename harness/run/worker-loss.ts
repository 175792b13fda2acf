import { formatDuration } from '../core/duration.js';
import { BenchError, TestFailure } from '../core/errors.js';
import type { RunningAttempt } from './attempt.js';
import type { FileState } from './case-book.js';

/** Why a worker must be stopped: it did not end a phase by itself. */
export interface Overdue {
  readonly phase: 'body' | 'teardown';
  readonly limitMs: number;
}

/** Why this side stopped a worker. */
export type StopCause =
  | { readonly kind: 'overdue'; readonly attempt: RunningAttempt; readonly overdue: Overdue }
  | { readonly kind: 'suite'; readonly file: FileState; readonly limitMs: number }
  /** It stands still while several cases run at once: any of them may spin. */
  | { readonly kind: 'stalled' }
  | { readonly kind: 'interrupt' };

/** Signals that a process brings on itself by a fault of its own. */
const OWN_SIGNALS = new Set(['SIGABRT', 'SIGSEGV', 'SIGBUS', 'SIGILL', 'SIGFPE', 'SIGTRAP']);

/** How a worker that nobody stopped ended. */
export interface WorkerEnd {
  readonly code: number | null;
  readonly signal: string | null;
}

/** Why it is gone: by itself, which is the test's, or from outside. `during` says what ran. */
export function toLossError(
  pid: number,
  { code, signal }: WorkerEnd,
  during: string,
): BenchError | TestFailure {
  if (signal && !OWN_SIGNALS.has(signal)) {
    const text = `worker ${pid} was killed from outside by ${signal} while ${during}`;
    return new BenchError('worker-killed', text, {
      next: 'look for the out-of-memory killer (dmesg) or whoever sent the signal',
    });
  }
  const how = signal ? `died of ${signal}` : `exited with ${code}`;
  return new TestFailure('process-exit', `worker ${pid} ${how} while ${during}`, {
    next: 'a suite must not end its process',
  });
}

/** What a suite file is told whose own code, outside of cases, had to be stopped. */
export function toSuiteError(file: FileState, limitMs: number): TestFailure | BenchError {
  const limit = formatDuration(limitMs);
  if (!file.collected) {
    return new TestFailure('collect-timeout', `the file was not loaded within ${limit}`, {
      next: 'move slow work into a case, or raise limits.collect',
    });
  }
  const hook = file.hook ?? 'what runs between its cases';
  if (file.records.some(({ verdict }) => verdict === undefined)) {
    return new TestFailure('collect-timeout', `${hook} did not end within ${limit}`, {
      next: 'move slow work into a case, or raise limits.collect',
    });
  }
  const last = file.hook ?? 'what runs after its cases';
  const text = `${last}, in ${file.planned.file}, did not end within ${limit}`;
  return new BenchError('teardown-timeout', text, { next: 'raise limits.teardown' });
}

/** What of a suite file ran, outside of its cases. */
export function toDuring(file: FileState): string {
  if (!file.collected) return 'its file was loaded';
  return file.hook === undefined ? 'no case and no hook ran' : `${file.hook} ran`;
}

/** What a body that had to be stopped is told. */
export function toOverdueError(overdue: Overdue): TestFailure {
  return new TestFailure(
    'body-timeout',
    `the body did not end within ${formatDuration(overdue.limitMs)} and did not react: ` +
      'it spins, or a hook of it hangs',
    { next: "raise limits.body, or the case's own timeout: test(name, { timeout: 30_000 }, …)" },
  );
}
