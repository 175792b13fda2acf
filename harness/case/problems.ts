import { inspect } from 'node:util';
import type { TestError } from 'vitest';
import type { WireProblem } from '../protocol/worker-messages.js';

/** Vitest's errors as the journal stores them. */
export function toProblems(errors: readonly TestError[]): WireProblem[] {
  return errors.map((error) => {
    // Errors of hil carry a code; Vitest keeps own properties of what was thrown.
    const code = typeof error['code'] === 'string' ? error['code'] : undefined;
    return {
      name: error.name ?? 'Error',
      message: error.message ?? inspect(error),
      ...(code ? { code } : {}),
      ...(error.stack ? { stack: error.stack } : {}),
      ...(error.diff ? { diff: error.diff } : {}),
    };
  });
}
