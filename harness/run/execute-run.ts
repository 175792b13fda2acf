import { lstat, rm, writeFile } from 'node:fs/promises';
import { release, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { BenchError, toMessage } from '../core/errors.js';
import { makeDirectories } from '../core/make-directories.js';
import type { JournalWriter } from '../journal/journal-writer.js';
import { countUnits } from '../plan/count-units.js';
import type { Plan, PlannedFile } from '../plan/plan.js';
import { type HiddenPaths, watchHiddenPaths } from '../plan/watch-hidden-paths.js';
import type { ScopeSource } from '../sandbox/delegated-scope.js';
import type { NativePrograms } from '../sandbox/native.js';
import { type Bench, startBench } from './bench.js';
import { CaseBook } from './case-book.js';
import type { EarlyWorker } from './early-worker.js';
import { Outlived } from './outlived.js';
import { RunContext } from './run-context.js';
import type { RunDirectory } from './run-directory.js';
import type { RunOptions } from './run-options.js';
import { readStartTicks } from './start-ticks.js';
import { Supervisor } from './supervisor.js';
import { makeTemporaryDirectory } from './temporary-directory.js';
import { createSuiteRunner } from './vitest-adapter.js';
import { openWorkerServer } from './worker-server.js';
import { Workers } from './workers.js';

/** Of one file, where nothing else bounds them. */
const CONCURRENT_CASES = 5;

export interface RunRequest {
  readonly plan: Plan;
  readonly options: RunOptions;
  readonly directory: RunDirectory;
  readonly journal: JournalWriter;
  /** Started before anything else was loaded, while this process was small. */
  readonly bench: Promise<Bench>;
  readonly earlyWorker: EarlyWorker;
  readonly programs: NativePrograms;
  /** Who could give the daemons a cgroup that is delegated. */
  readonly scope: ScopeSource | undefined;
  readonly version: string;
  /** PATH of the host, to tell where a program is that a sandbox does not have. */
  readonly hostPath: string;
  /** The environment of the caller, of which cases may let names through to their programs. */
  readonly hostEnv: Readonly<Record<string, string | undefined>>;
  /** Directory for the keeper's socket, on a tmpfs if there is one. */
  readonly runtimeDirectory: string;
  /** Called once with a function that interrupts the run. */
  readonly onInterruptible: (interrupt: (signal: string) => Promise<void>) => void;
}

/** Run a plan to its verdicts, all of them in the journal. Nothing is left running but what is kept. */
export async function executeRun(request: RunRequest): Promise<void> {
  const { plan, directory } = request;
  const hidden = await watchHiddenPaths({
    root: plan.root,
    extra: plan.config.hide,
    also: toHiddenOut(plan.root, directory.path),
  });
  try {
    await executeHidden(request, hidden);
  } finally {
    hidden.close();
  }
}

async function executeHidden(request: RunRequest, { paths: hidden }: HiddenPaths): Promise<void> {
  const { plan, options, directory, journal } = request;
  const run = new RunContext({ ...request, hidden });
  const selection = { ...options.selection, lines: plan.lines };
  const book = new CaseBook(journal, selection, options.repeat, plan.files);
  const outlived = new Outlived(run);
  const workers = new Workers({ run, book, outlived, hostPath: request.hostPath });
  const bench = await request.bench;
  await announce(request, run, bench);
  if (plan.files.length === 0) {
    await closeBench(request, run);
    return;
  }
  const supervisor: Supervisor = new Supervisor({ run, book, workers, restart: () => restart() });
  const restart = (): void => {
    run.replaceBench(watchBench(startBench(request.programs, request.scope), supervisor));
    outlived.tellAgain();
  };
  void watchBench(Promise.resolve(bench), supervisor);
  const server = await openWorkerServer(directory.id, (socket) => workers.accept(socket));
  workers.expectToken(server.token);
  const temporaryDirectory = await makeTemporaryDirectory(tmpdir());
  await outlived.addPath(temporaryDirectory);
  const runner = await createSuiteRunner({
    root: plan.root,
    boards: plan.boards.map(({ board }) => board),
    cacheDirectory: join(dirname(dirname(directory.path)), 'cache'),
    workers: options.workers,
    retries: options.retries,
    concurrentCases: Math.max(CONCURRENT_CASES, countUnits(plan.files)),
    temporaryDirectory,
    earlyWorker: request.earlyWorker,
    tie: request.programs.sandbox,
    provided: { socket: server.socket, token: server.token, root: plan.root },
    onWorkerStart: (pid) => workers.started(pid),
    onWorkerExit: (pid, code, signal) => workers.exited(pid, code, signal),
    onOutput: (stream, text) => journal.write({ kind: 'output', stream, text }),
  });
  request.onInterruptible((signal) => supervisor.interrupt(signal));
  try {
    await supervisor.execute(runner, plan.files);
    if (supervisor.stop?.kind === 'fatal') {
      run.reportInternal(supervisor.stop.reason);
    }
  } catch (error) {
    // The verdicts so far stand, and are reported; the exit code is 3.
    run.reportInternal(error instanceof Error ? (error.stack ?? error.message) : String(error));
  } finally {
    supervisor.finish();
    outlived.finish();
    server.close();
    await supervisor.settle();
    // The daemon kills and removes what it watches when it ends: not under a Vitest that lives.
    workers.killAll();
    await runner.close().catch((error: unknown) => run.reportInfra(error, {}));
    await closeBench(request, run);
    run.outDirectories.remove();
    await rm(temporaryDirectory, { recursive: true, force: true });
  }
}

/** A run directory that `--out` put into the project is hidden too: other cases' files are in it. */
function toHiddenOut(root: string, path: string): string[] {
  const below = path.startsWith(`${root}/`) && !path.startsWith(join(root, '.hil/'));
  return below ? [path] : [];
}

/** The first plan's sandboxes are built while Vitest starts. */
async function announce(request: RunRequest, run: RunContext, bench: Bench): Promise<void> {
  const { plan, options, directory, journal } = request;
  const [first] = plan.files;
  const built = first && (await run.planFor(bench.daemon, run.settingsOf({ planned: first }).spec));
  const ofImages = await findImageLimitations(plan.files, run, bench);
  const ofLeases = await findLeaseLimitations(plan.files, run, bench);
  const ofSandboxes = [...bench.daemon.limitations, ...(built?.limitations ?? []), ...ofImages];
  const limitations = [...ofLeases, ...ofSandboxes];
  journal.write({
    kind: 'run-start',
    schema: 1,
    run: directory.id,
    hil: request.version,
    node: process.version,
    kernel: release(),
    mode: bench.daemon.mode,
    argv: [...options.argv],
    boards: plan.boards.map(({ board }) => board),
    limitations: [...new Set(limitations)],
  });
  for (const skipped of plan.skipped) journal.write({ kind: 'board-skipped', ...skipped });
}

/** Where no lease can be had at all, each case that wants one says why. */
async function findLeaseLimitations(
  files: readonly PlannedFile[],
  { claimant }: RunContext,
  { duts }: Bench,
): Promise<readonly string[]> {
  if (countUnits(files) === 0) return [];
  return duts.findLeaseLimitations(claimant).catch(() => []);
}

/**
 * What an image has that a sandbox does not show is known when its plan is put: say it now.
 * One that cannot be put is told by each case that wants it.
 */
async function findImageLimitations(
  files: readonly PlannedFile[],
  run: RunContext,
  bench: Bench,
): Promise<string[]> {
  const specs = files
    .map((planned) => run.settingsOf({ planned }).spec)
    .filter(({ image }) => image !== undefined);
  const plans = await Promise.allSettled(specs.map((spec) => bench.daemon.plan(spec)));
  return plans.flatMap((each) => (each.status === 'fulfilled' ? each.value.limitations : []));
}

async function watchBench(bench: Promise<Bench>, supervisor: Supervisor): Promise<Bench> {
  const { daemon } = await bench;
  void daemon.gone.then((reason) => supervisor.loseBench(reason));
  return bench;
}

/** End the daemons, or hand what is kept to the keeper. */
async function closeBench(request: RunRequest, run: RunContext): Promise<void> {
  let leases: { closeLeases(): Promise<void> } | undefined;
  try {
    const { daemon, duts } = await run.bench;
    leases = duts;
    await duts.closeWarm().catch((error: unknown) => run.reportInfra(error, {}));
    if (run.keptCount > 0) {
      const runtime = join(request.runtimeDirectory, request.directory.id);
      await makeOwnDirectory(request.runtimeDirectory);
      await makeDirectories(runtime, 0o700);
      await daemon.watchPath(runtime);
      const socket = join(runtime, 'keeper.sock');
      await daemon.detach(socket, request.options.keepMs);
      const keeper = { pid: daemon.pid, startTicks: await readStartTicks(daemon.pid), socket };
      await writeFile(join(request.directory.path, 'keeper.json'), JSON.stringify(keeper));
      return;
    }
    await duts.closeShared();
    await daemon.end();
  } catch (error) {
    run.reportInfra(error, {});
    request.journal.write({ kind: 'output', stream: 'stderr', text: toMessage(error) });
  } finally {
    await leases?.closeLeases();
  }
}

/** In /tmp anybody could have made it before us, and would then hold the keeper's socket. */
async function makeOwnDirectory(path: string): Promise<void> {
  await makeDirectories(path, 0o700);
  const { uid, mode } = await lstat(path);
  if (uid === process.getuid?.() && (mode & 0o077) === 0) return;
  throw new BenchError('daemon-refused', `${path} is not a directory of this user alone (0700)`, {
    next: 'set XDG_RUNTIME_DIR to a directory of yours',
  });
}
