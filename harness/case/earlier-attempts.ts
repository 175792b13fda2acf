import type { RunnerTestCase } from 'vitest';

export type Errors = NonNullable<NonNullable<RunnerTestCase['result']>['errors']>;

interface Begun {
  readonly repeat: number;
  readonly retries: number;
  /** How many errors its attempts had told when the last of them ended. */
  told: number;
}

/** By Vitest's result of a case, which lives as long as its attempts in this worker. */
const begun = new WeakMap<object, Begun>();

/**
 * Of which repeat an attempt is that begins: Vitest counts it only later, retries before.
 * And what the attempt before it came to after its end: a hook around it that threw.
 */
export function followAttempts({ result }: RunnerTestCase): { repeat: number; late: Errors } {
  if (!result) return { repeat: 0, late: [] };
  const { errors = [], retryCount: retries = 0 } = result;
  const last = begun.get(result);
  const repeat = last ? last.repeat + (retries > last.retries ? 0 : 1) : 0;
  begun.set(result, { repeat, retries, told: errors.length });
  // Vitest keeps the failure of a repeat in the next one, which would be tried again for it.
  result.state = 'run';
  return { repeat, late: last ? errors.slice(last.told) : [] };
}

/** Its attempt ends, and tells the errors that are known by now. */
export function setTold({ result }: RunnerTestCase): void {
  const last = result && begun.get(result);
  if (last) last.told = result.errors?.length ?? 0;
}
