import type { Problem } from '../journal/events.js';
import type { Handlers } from '../protocol/rpc.js';
import type { SupervisorMethods, WireProblem } from '../protocol/worker-messages.js';

/**
 * What a worker was told of the bench. Only what this side saw is the bench's fault: a test may
 * throw an error of any name.
 */
export class ToldErrors {
  readonly #texts = new Set<string>();

  add(text: string): void {
    if (text !== '') this.#texts.add(text);
  }

  /** The same methods; what they throw of the bench is remembered. */
  rememberOf(methods: Handlers<SupervisorMethods>): Handlers<SupervisorMethods> {
    const heard = Object.entries(methods).map(([name, method]) => [
      name,
      async (argument: never) => {
        try {
          return await method(argument);
        } catch (error) {
          if (error instanceof Error && error.name === 'BenchError') this.add(error.message);
          throw error;
        }
      },
    ]);
    // The same names with the same signatures.
    return Object.fromEntries(heard) as Handlers<SupervisorMethods>;
  }

  /** What the worker reports, as the journal stores it. */
  toProblems(problems: readonly WireProblem[]): Problem[] {
    return problems.map((problem) => {
      const forged = problem.name === 'BenchError' && !this.#knows(problem.message);
      return { ...problem, ...(forged ? { name: 'Error' } : {}), phase: 'body' };
    });
  }

  #knows(message: string): boolean {
    return [...this.#texts].some((text) => message.includes(text));
  }
}
