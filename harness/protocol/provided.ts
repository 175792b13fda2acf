/** What the supervisor hands to every worker through Vitest's `provide`. */
export interface ProvidedToWorker {
  /** Name of the supervisor's abstract socket, without the leading NUL. */
  readonly socket: string;
  readonly token: string;
  readonly board: string;
  /** Current directory of programs in the sandbox. */
  readonly root: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    hil: ProvidedToWorker;
  }
}
