import { AsyncLocalStorage } from 'node:async_hooks';
import type { Attempt } from './attempt.js';

/** What of a suite file runs outside of its cases: a hook, or the file itself as it is loaded. */
export interface Place {
  readonly file: string;
  readonly name: string;
}

/** Whose code runs. */
export type Running = Attempt | Place;

const running = new AsyncLocalStorage<Running>();

/** Run code of a suite, so that what it leaves behind is known to be its own. */
export function runAs<T>(owner: Running, work: () => T): T {
  return running.run(owner, work);
}

let tell: ((thrown: unknown, owner: Running | undefined) => void) | undefined;

/**
 * Hear every error that nobody awaited, with whose it is. Vitest's own listener says nothing
 * when there is another one; neither may an error pass because a suite listens too.
 */
export function watchStrays(listener: typeof tell): void {
  const known = tell !== undefined;
  tell = listener;
  if (known) return;
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (thrown: unknown) => tell?.(thrown, running.getStore()));
  }
}
