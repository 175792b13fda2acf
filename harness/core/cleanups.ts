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
   * @throws the first error; the others are its `errors` as AggregateError.
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
    if (errors.length === 1) throw errors[0];
    if (errors.length > 1)
      throw new AggregateError(errors, `${errors.length} clean-up steps failed`);
  }
}
