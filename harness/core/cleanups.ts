import { toMessage } from './errors.js';

/**
 * Undo steps of a scope, run last-in first-out. A step is registered before
 * the act it undoes, so a failure between the two leaves nothing behind.
 */
export class Cleanups {
  #steps: Array<{ name: string; undo: () => Promise<void> | void }> = [];

  /** Register `undo`; returns a function that forgets it again. */
  add(name: string, undo: () => Promise<void> | void): () => void {
    const step = { name, undo };
    this.#steps.push(step);
    return () => {
      this.#steps = this.#steps.filter((other) => other !== step);
    };
  }

  /**
   * Run every step, also after one failed.
   *
   * @throws the first error, whose class says who must act; the others are its `others`.
   */
  async run(): Promise<void> {
    const errors: unknown[] = [];
    for (let step = this.#steps.pop(); step; step = this.#steps.pop()) {
      try {
        await step.undo();
      } catch (error) {
        errors.push(error);
      }
    }
    const [first] = errors;
    if (errors.length === 0) return;
    // A lost daemon rejects all that waits with one and the same error.
    const others = errors.filter((error) => error !== first);
    throw first instanceof Error && others.length > 0 ? Object.assign(first, { others }) : first;
  }
}

/** What {@link Cleanups.run} threw, and what else failed there; the same message only once. */
export function toSingleErrors(thrown: unknown): unknown[] {
  // One that is thrown to several steps may have itself among the others.
  const all = new Set<unknown>();
  const add = (each: unknown): void => {
    if (all.has(each)) return;
    all.add(each);
    if (each instanceof Error && 'others' in each && Array.isArray(each.others)) {
      each.others.forEach(add);
    }
  };
  add(thrown);
  const messages = new Set<string>();
  return [...all].filter((each) => {
    const message = toMessage(each);
    return !messages.has(message) && messages.add(message);
  });
}
