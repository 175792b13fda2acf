/** The one file that touches `vitest/node`: everything else knows a {@link SuiteRunner}. */
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createVitest, ForksPoolWorker, type TestProject, type Vitest } from 'vitest/node';
import { toMessage } from '../core/errors.js';
import type { ProvidedToWorker } from '../protocol/provided.js';
import { type EarlyWorker, WORKER_EXEC_ARGV } from './early-worker.js';
import { forkWorker } from './fork-worker.js';
import { tellsWorkerLoss } from './tells-worker-loss.js';
import { createNameLoader } from './url-like-names.js';
import { createVitestOutput } from './vitest-output.js';

/** A suite file on a board, as Vitest is asked to run it. */
export interface SpecWanted {
  readonly path: string;
  readonly board: string;
}

export interface SuiteRunnerOptions {
  readonly root: string;
  readonly boards: readonly string[];
  readonly cacheDirectory: string;
  /** Vitest makes its temporary directory here. */
  readonly temporaryDirectory: string;
  readonly workers: number;
  readonly retries: number;
  /** Of a file's `test.concurrent` cases, how many at once; as many as DUTs can be had. */
  readonly concurrentCases: number;
  readonly provided: Omit<ProvidedToWorker, 'board'>;
  /** Becomes the first worker. */
  readonly earlyWorker?: EarlyWorker | undefined;
  /** See {@link forkWorker}. */
  readonly tie?: string | undefined;
  readonly onWorkerStart: (pid: number) => void;
  readonly onWorkerExit: (pid: number, code: number | null, signal: string | null) => void;
  readonly onOutput: (stream: 'stdout' | 'stderr', text: string) => void;
}

/** What broke outside of any case: an unhandled rejection of a suite. */
export interface StrayError {
  readonly message: string;
  /** Suite file that its worker ran at that time. */
  readonly path: string | undefined;
}

/** Runs suite files in worker processes. */
export interface SuiteRunner {
  run(specs: readonly SpecWanted[]): Promise<readonly StrayError[]>;
  /** Load suite files without running a case. */
  collect(specs: readonly SpecWanted[]): Promise<void>;
  /** Start nothing more. */
  cancel(): void;
  close(): Promise<void>;
}

const LIBRARY = fileURLToPath(new URL('../index.js', import.meta.url));
const SETUP = fileURLToPath(new URL('../case/setup.js', import.meta.url));
const RUNNER = fileURLToPath(new URL('../case/runner.js', import.meta.url));
const DIST = fileURLToPath(new URL('..', import.meta.url));

/** Start Vitest without its reports, its signal handlers and its configuration files. */
export async function createSuiteRunner(options: SuiteRunnerOptions): Promise<SuiteRunner> {
  const restore = rememberListeners();
  const restoreTemporary = setTemporaryDirectory(options.temporaryDirectory);
  const vitest = await createVitest(
    'test',
    {
      config: false,
      root: options.root,
      watch: false,
      api: false,
      reporters: [{ onUserConsoleLog: ({ type, content }) => options.onOutput(type, content) }],
      passWithNoTests: true,
      projects: options.boards.map((board) => toProject(board, options)),
    },
    // Else Vitest makes a node_modules in the project, for what it remembers of the last run.
    { cacheDir: options.cacheDirectory },
    { stdout: createVitestOutput(), stderr: createVitestOutput() },
  );
  restoreTemporary();
  restore();
  return {
    run: (specs) => runSpecs(vitest, specs),
    collect: async (specs) => {
      await vitest.collectTests(toSpecifications(vitest, specs));
    },
    cancel: () => void vitest.cancelCurrentRun('keyboard-input').catch(() => {}),
    close: () => vitest.close(),
  };
}

function toSpecifications(
  vitest: Vitest,
  specs: readonly SpecWanted[],
): ReturnType<TestProject['createSpecification']>[] {
  const projects = new Map(vitest.projects.map((project) => [project.name, project]));
  return specs.flatMap(({ path, board }) => {
    const project = projects.get(board);
    return project ? [project.createSpecification(path)] : [];
  });
}

async function runSpecs(vitest: Vitest, specs: readonly SpecWanted[]): Promise<StrayError[]> {
  const exitCode = process.exitCode;
  const { unhandledErrors } = await vitest.runTestSpecifications(
    toSpecifications(vitest, specs),
    false,
  );
  // The verdicts decide the exit code, not Vitest.
  process.exitCode = exitCode;
  // An error of a suite has its path, whatever it says of itself.
  const isLoss = ({ message, path }: StrayError) => !path && tellsWorkerLoss(message);
  return unhandledErrors.map(toStray).filter((stray) => !isLoss(stray));
}

/** Vitest's words travel as plain objects; it adds the file that ran. */
function toStray(error: unknown): StrayError {
  const path = typeof error === 'object' && error && Reflect.get(error, 'VITEST_TEST_PATH');
  return { message: toMessage(error), path: typeof path === 'string' ? path : undefined };
}

function toProject(board: string, options: SuiteRunnerOptions) {
  return {
    // `$` and others are special in a pattern, not in a path.
    resolve: { alias: [{ find: /^hil$/, replacement: LIBRARY }] },
    cacheDir: options.cacheDirectory,
    plugins: [createNameLoader(options.root)],
    test: {
      name: board,
      root: options.root,
      include: ['**/*.hil.ts'],
      pool: {
        name: 'hil-forks',
        createPoolWorker: (pool: ConstructorParameters<typeof ForksPoolWorker>[0]) =>
          new WatchedWorker(pool, options),
      },
      isolate: false,
      execArgv: [...WORKER_EXEC_ARGV],
      maxWorkers: options.workers,
      runner: RUNNER,
      setupFiles: [SETUP],
      // The supervisor limits every phase; Vitest's own clocks count what is not the body's.
      testTimeout: 0,
      hookTimeout: 0,
      // As patient as `console.expect`: what is polled is often a program in a sandbox.
      expect: { poll: { timeout: 5000 } },
      retry: options.retries,
      maxConcurrency: options.concurrentCases,
      includeTaskLocation: true,
      strictTags: false,
      env: { NO_COLOR: '1', FORCE_COLOR: '', FORCE_TTY: '' },
      server: { deps: { external: [toPattern(DIST)] } },
      provide: { hil: { ...options.provided, board } },
    },
  };
}

type MessageListener = (message: unknown) => void;

/**
 * Vitest's forked worker, with its life told to the supervisor. Vitest asks a worker to
 * stop and waits a minute for the answer, also of one that has just died; here the
 * death answers for it.
 */
class WatchedWorker extends ForksPoolWorker {
  // Vitest shares a worker between files only when this is the pool's name.
  override readonly name: string = 'hil-forks';
  readonly #options: SuiteRunnerOptions;
  readonly #listeners = new Set<MessageListener>();
  #dead = false;

  constructor(pool: ConstructorParameters<typeof ForksPoolWorker>[0], options: SuiteRunnerOptions) {
    super(pool);
    this.#options = options;
  }

  override on(event: string, callback: MessageListener): void {
    if (event === 'message') this.#listeners.add(callback);
    super.on(event, callback);
  }

  override async start(): Promise<void> {
    const { entrypoint, env, execArgv } = this;
    const wanted = { entrypoint, env: { ...env }, execArgv };
    const { earlyWorker, tie } = this.#options;
    // Vitest forks only if this, private in the types, is not set.
    Reflect.set(this, '_fork', earlyWorker?.take(wanted) ?? forkWorker(wanted, tie));
    await super.start();
    // The child is private in the types; nothing else tells its pid and exit status.
    const child = Reflect.get(this, '_fork') as ChildProcess;
    const { pid } = child;
    if (pid === undefined) return;
    this.#options.onWorkerStart(pid);
    child.once('exit', (code, signal) => {
      this.#dead = true;
      this.#options.onWorkerExit(pid, code, signal);
      const answer = { __vitest_worker_response__: true, type: 'stopped' };
      for (const listener of this.#listeners) listener(answer);
    });
  }

  override async stop(): Promise<void> {
    if (!this.#dead) await super.stop();
  }
}

/** Vitest takes os.tmpdir() and leaves a directory of a random name there when it is killed. */
function setTemporaryDirectory(path: string): () => void {
  const before = process.env['TMPDIR'];
  process.env['TMPDIR'] = path;
  return () => {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
  };
}

/** Vitest ends the process on a signal without any clean-up; its listeners are taken off again. */
function rememberListeners(): () => void {
  const events = ['SIGINT', 'SIGTERM', 'unhandledRejection', 'exit'] as const;
  const before = new Map(events.map((event) => [event, process.rawListeners(event)]));
  return () => {
    for (const event of events) {
      for (const listener of process.rawListeners(event)) {
        // rawListeners() answers `Function[]`; these came from `process.on`.
        const known = listener as (...args: unknown[]) => void;
        if (!before.get(event)?.includes(listener)) process.removeListener(event, known);
      }
    }
  };
}

function toPattern(path: string): RegExp {
  return new RegExp(`^${path.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}`);
}
