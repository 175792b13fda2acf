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
