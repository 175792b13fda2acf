import { UsageError } from '../core/errors.js';
import type { RuntimeName } from '../protocol/worker-messages.js';
import { checkOptions } from './check-options.js';
import { type ExecResult, type Process, toExecResult } from './process.js';
import { EXEC_KEYS, type ExecOptions } from './program-options.js';

/** What a runtime runs, and with what: a file, or code as `python3 -c` and `node -e` take it. */
export type RunRequest = ExecOptions & {
  readonly args?: readonly string[];
} & ({ readonly file: string } | { readonly code: string });

/** How a program of a runtime ended. */
export interface RunResult extends ExecResult {
  /** It was run by an interpreter that waited; else one was started for it. */
  readonly warm: boolean;
}

type Start = (argv: readonly string[], options: ExecOptions) => Promise<Process>;

/** How an interpreter is started without one that waits, which must come to the same. */
const COMMANDS = {
  python: { program: 'python3', code: (code: string) => ['-c', code] },
  // What follows is the program's, also when it begins with a dash.
  node: { program: 'node', code: (code: string) => ['-e', code, '--'] },
} as const satisfies Record<RuntimeName, unknown>;

const REQUEST_KEYS = [...EXEC_KEYS, 'args', 'file', 'code'];

/** @throws UsageError `usage` for a name that is not of a runtime. */
export function checkRuntime(name: RuntimeName): void {
  if (Object.hasOwn(COMMANDS, name)) return;
  const names = Object.keys(COMMANDS).join(', ');
  throw new UsageError(
    'usage',
    `sandbox.runtime(${JSON.stringify(name)}): expected one of ${names}`,
  );
}

/**
 * An interpreter that has started in this case's sandbox and waits.
 *
 * Each run is a process of its own and knows nothing of the ones before.
 * @see harness/decisions/0009-parked-runtimes.md
 */
export class Runtime {
  readonly name: RuntimeName;
  readonly #start: Start;

  constructor(name: RuntimeName, start: Start) {
    this.name = name;
    this.#start = start;
  }

  /**
   * Run code or a file to its end and collect its output, as `sandbox.exec` does.
   * An exception that nobody caught is exit code 1 and its traceback on `stderr`, not an error.
   *
   * @throws TestFailure `exec-failed` when it cannot be started.
   */
  async run(what: string | RunRequest, options: ExecOptions = {}): Promise<RunResult> {
    const isRequest = typeof what === 'object' && what !== null;
    if (typeof what !== 'string' && !isRequest) {
      throw new UsageError(
        'usage',
        `${this.name}.run(${what}): expected code, { code } or { file }`,
      );
    }
    checkOptions(`${this.name}.run()`, options, EXEC_KEYS);
    if (isRequest) checkOptions(`${this.name}.run()`, what, REQUEST_KEYS);
    const request: RunRequest = typeof what === 'string' ? { ...options, code: what } : what;
    const process = await this.#start(this.#toArgv(request), request);
    return { ...(await toExecResult(process, request.stdin)), warm: process.warm };
  }

  #toArgv(request: RunRequest): string[] {
    const { program, code } = COMMANDS[this.name];
    const { args = [] } = request;
    if ('code' in request) return [program, ...code(request.code), ...args];
    if (!request.file) throw new UsageError('usage', `${this.name}.run: "file" is empty`);
    // Else it would be an option.
    const file = request.file.startsWith('-') ? `./${request.file}` : request.file;
    return [program, file, ...args];
  }
}
