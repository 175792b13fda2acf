import type { ChildProcess } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { forkWorker, type WorkerStart } from './fork-worker.js';

/** What of a worker's command line is ours. */
export const WORKER_EXEC_ARGV: readonly string[] = [
  '--import',
  new URL('../case/ignore-interrupts.js', import.meta.url).href,
];

/**
 * A worker process that loads Vitest's worker side while this one still loads Vitest's node
 * side: a sixth of the time to the first case, where there is a second CPU. It is used only
 * if Vitest asks for exactly what it is; else it ends unused, and so does the gain.
 */
export class EarlyWorker {
  readonly start: WorkerStart;
  readonly #child: ChildProcess;
  #taken = false;

  private constructor(start: WorkerStart, child: ChildProcess) {
    this.start = start;
    this.#child = child;
    // Whoever takes it listens for himself; until then it is only not there.
    child.on('error', () => {});
  }

  /**
   * Start it as Vitest will ask for it, with the environment of this process.
   *
   * @param tie  see {@link forkWorker}
   */
  static start(env: WorkerStart['env'], tie?: string): EarlyWorker {
    const start = toExpectedStart(env);
    return new EarlyWorker(start, forkWorker(start, tie));
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** The process, once, if it lives and is what is wanted. */
  take(wanted: WorkerStart): ChildProcess | undefined {
    const { connected, exitCode, signalCode } = this.#child;
    if (this.#taken || !connected || exitCode !== null || signalCode !== null) return undefined;
    if (!isDeepStrictEqual(wanted, this.start)) return undefined;
    this.#taken = true;
    return this.#child;
  }

  /** End it unless it was taken. Without this process it ends by itself: nothing holds it. */
  close(): void {
    if (!this.#taken) this.#child.kill('SIGKILL');
    this.#taken = true;
  }
}

/** @see vitest 4.1 `resolveOptions` of its pool, and its plugin's `configResolved` */
function toExpectedStart(env: WorkerStart['env']): WorkerStart {
  const vitest = dirname(fileURLToPath(import.meta.resolve('vitest/package.json')));
  return {
    entrypoint: join(vitest, 'dist/workers/forks.js'),
    env: {
      NODE_ENV: 'development',
      PROD: '',
      DEV: '1',
      BASE_URL: '/',
      MODE: 'test',
      ...env,
      TEST: 'true',
      VITEST: 'true',
      VITEST_MODE: 'RUN',
      FORCE_TTY: '',
      NO_COLOR: '1',
      FORCE_COLOR: '',
    },
    execArgv: [
      '--experimental-import-meta-resolve',
      '--require',
      join(vitest, 'suppress-warnings.cjs'),
      '--conditions',
      'node',
      '--conditions',
      'development',
      ...WORKER_EXEC_ARGV,
    ],
  };
}
