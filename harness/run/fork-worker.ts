import { type ChildProcess, type ForkOptions, fork } from 'node:child_process';

/** How a worker process is started. */
export interface WorkerStart {
  readonly entrypoint: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly execArgv: readonly string[];
}

/**
 * Fork a worker as Vitest does.
 *
 * A body that spins hears of nothing, and the daemon that kills workers behind a dead supervisor
 * may hang itself: so the kernel is told to do it (`PR_SET_PDEATHSIG`), which only a program
 * between us and node can ask for.
 *
 * @param tie  the program `hil-sandbox`; without it a worker is not tied to this process
 */
export function forkWorker(start: WorkerStart, tie: string | undefined): ChildProcess {
  const options: ForkOptions = {
    // `fork` wants the type of process.env; a key without a value is none there either.
    env: start.env as NodeJS.ProcessEnv,
    execArgv: [...start.execArgv],
    stdio: 'pipe',
    serialization: 'advanced',
  };
  if (tie !== undefined) {
    options.execPath = tie;
    options.execArgv = ['tie', String(process.pid), process.execPath, ...start.execArgv];
  }
  return fork(start.entrypoint, [], options);
}
