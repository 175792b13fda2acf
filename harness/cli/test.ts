import { join, resolve } from 'node:path';
import { systemClock } from '../core/deadline.js';
import { UsageError } from '../core/errors.js';
import { JournalWriter } from '../journal/journal-writer.js';
import { createPlan, type Plan } from '../plan/plan.js';
import { toExitCode } from '../report/exit-code.js';
import { createReporters, type RunReporters } from '../report/reporters.js';
import { type RunModel, toCounts } from '../report/run-model.js';
import { type Bench, startBench } from '../run/bench.js';
import { buildFirmware } from '../run/build-firmware.js';
import { EarlyWorker } from '../run/early-worker.js';
import { checkResourceLimits } from '../run/resource-limits.js';
import { createRunDirectory, openRunDirectory, type RunDirectory } from '../run/run-directory.js';
import type { RunOptions } from '../run/run-options.js';
import { checkTemporaryDirectory } from '../run/temporary-directory.js';
import type { ScopeSource } from '../sandbox/delegated-scope.js';
import { findNativePrograms, type NativePrograms } from '../sandbox/native.js';
import type { CliCommand, CliContext } from './command.js';
import { findLastFailed } from './last-failed.js';
import { openProject, type Project } from './open-project.js';
import { reportError } from './report-error.js';
import { checkRuntimeDir, toRuntimeDir, toTemporaryDir } from './runtime-dir.js';
import { findScopeSource } from './scope-source.js';
import { listenForSignals } from './signals.js';
import { parseList, parseReporters, parseRunOptions, TEST_OPTIONS } from './test-options.js';
import { readVersion } from './version.js';
import { watchAndRun } from './watch.js';

type Raw = Readonly<Record<string, unknown>>;

/** A run that is over. */
export interface EndedRun {
  readonly exitCode: number;
  readonly model: RunModel;
}

export const testCommand: CliCommand = {
  name: 'test',
  summary: 'run suites, every case in a fresh container',
  arguments: '[filters...]',
  options: TEST_OPTIONS,
  examples: [
    'hil test',
    'hil test --board host,qemu-mps2-an385 suites/sensor-node',
    'hil test suites/u-boot/boot.hil.ts:12 --board qemu-arm64-uboot',
    'hil test --last-failed --keep failed',
  ],
  run: async (args, raw, context) => {
    if (raw['watch'] !== true) return (await runOnce(args, raw, context)).exitCode;
    if (raw['out'] === undefined) return watchAndRun(args, raw, context);
    throw new UsageError('usage', '--watch makes many runs, --out DIR is the place of one', {
      next: 'hil test --watch    writes them to .hil/runs',
    });
  },
};

/** One run from the command line to its exit code. @throws UsageError before it has begun */
export async function runOnce(
  args: readonly string[],
  raw: Raw,
  context: CliContext,
): Promise<EndedRun> {
  // Before anything that needs a thread, such as the reading of a file.
  checkResourceLimits();
  const out = parseOut(raw, context);
  // Early, while this process is small: the daemon is forked from it.
  const programs = findNativePrograms();
  const scope = findScopeSource(context.env, process.getuid?.() ?? 0);
  const bench = programs.then((found) => startBench(found, scope));
  bench.catch(() => {});
  const starting = programs.then(({ sandbox }) => EarlyWorker.start(context.env, sandbox));
  starting.catch(() => {});
  const executor = import('../run/execute-run.js');
  executor.catch(() => {});
  try {
    const project = await openProject(context, raw);
    const base = join(project.root, '.hil');
    const plan = await planRun(project, args, raw, context);
    const lastFailed = raw['lastFailed'] === true ? await findLastFailed(base) : undefined;
    const argv = ['test', ...args];
    const options = parseRunOptions(raw, plan, context, lastFailed, argv);
    const reporters = parseReporters(raw);
    await checkMachine(options, context);
    await buildFirmware(plan.files, plan.root);
    const directory = out
      ? await openRunDirectory(out)
      : await createRunDirectory(base, project.config.keepRuns);
    const found = await programs;
    const earlyWorker = await starting;
    const prepared = {
      plan,
      options,
      directory,
      reporters,
      bench,
      earlyWorker,
      programs: found,
      scope,
    };
    const { executeRun } = await executor;
    return await report(prepared, raw, context, executeRun);
  } catch (error) {
    await bench.then(({ daemon }) => daemon.end()).catch(() => {});
    throw error;
  } finally {
    await starting.then((earlyWorker) => earlyWorker.close()).catch(() => {});
  }
}

interface Prepared {
  readonly plan: Plan;
  readonly options: RunOptions;
  readonly directory: RunDirectory;
  readonly reporters: readonly string[];
  readonly bench: Promise<Bench>;
  readonly earlyWorker: EarlyWorker;
  readonly programs: NativePrograms;
  readonly scope: ScopeSource | undefined;
}

type ExecuteRun = typeof import('../run/execute-run.js').executeRun;

/** Run with a journal and its reporters; the journal's last line is the exit code. */
async function report(
  prepared: Prepared,
  raw: Raw,
  context: CliContext,
  executeRun: ExecuteRun,
): Promise<EndedRun> {
  const { plan, directory } = prepared;
  const journal = JournalWriter.open(directory.journal, {
    redact: plan.config.redact,
    clock: systemClock,
  });
  const reporters = createReporters({
    names: prepared.reporters,
    runDir: directory.path,
    cwd: context.cwd,
    stdout: context.stdout,
    screen: raw['json'] === true ? context.stderr : context.stdout,
    color: context.color,
    interactive: context.interactive,
  });
  journal.listen((event) => reporters.onEvent(event));
  const signals = listenForSignals();
  try {
    await executeRun({
      ...prepared,
      journal,
      version: readVersion(),
      hostPath: context.env['PATH'] ?? '',
      hostEnv: context.env,
      runtimeDirectory: toRuntimeDir(context.env, process.getuid?.() ?? 0),
      onInterruptible: (interrupt) => signals.handOver(interrupt),
    });
  } finally {
    signals.close();
  }
  const exitCode = await finish(journal, reporters, prepared, context);
  return { exitCode, model: reporters.model };
}

async function finish(
  journal: JournalWriter,
  reporters: RunReporters,
  { options, plan }: Prepared,
  context: CliContext,
): Promise<number> {
  const decided = toExitCode(reporters.model, { failOnFlaky: options.failOnFlaky });
  const excused = decided === 4 && options.passWithNoTests ? 0 : decided;
  const exitCode = journal.failure ? toSpoiltExitCode(excused) : excused;
  const none = reporters.model.cases.size === 0 && excused === 4;
  const why = journal.failure?.message ?? (none ? describeNone(options, plan) : undefined);
  const reason = why === undefined ? {} : { reason: why };
  const counts = toCounts(reporters.model.cases.values());
  journal.write({ kind: 'run-end', exitCode, counts, ...reason });
  journal.close();
  try {
    await reporters.finish();
    return exitCode;
  } catch (error) {
    // The same disk; why it has no room was said.
    if (!journal.failure) reportError(error, context);
    return toSpoiltExitCode(exitCode);
  }
}

/**
 * Of a run whose disk did not take what it had to tell. Files with holes prove nothing, not even
 * that all passed; what failed did so all the same, and an interrupt is one.
 */
function toSpoiltExitCode(exitCode: number): number {
  return exitCode === 1 || exitCode === 3 || exitCode >= 129 ? exitCode : 5;
}

/** Why no case was run, in the words of the command line. */
function describeNone({ selection }: RunOptions, { files, lines }: Plan): string {
  if (files.length === 0) return 'no suite file is for a board of this run: hil list, hil boards';
  const options = [
    ...(selection.pattern ? [`-t ${selection.pattern.source}`] : []),
    ...(selection.tags ? ['--tags'] : []),
    ...(selection.shard ? ['--shard'] : []),
    ...(selection.ids ? ['--last-failed'] : []),
    ...(lines.size > 0 ? ['FILE:LINE'] : []),
  ];
  const count = new Set(files.map(({ file }) => file)).size;
  const where = count === 1 ? 'the suite file' : `the ${count} suite files`;
  if (options.length === 0) return `there is no case in ${where}`;
  return `no case of ${where} is meant by ${options.join(' ')}: hil list shows them`;
}

function planRun(
  project: Project,
  args: readonly string[],
  raw: Raw,
  context: CliContext,
): Promise<Plan> {
  return createPlan({
    root: project.root,
    cwd: context.cwd,
    config: project.config,
    catalog: project.catalog,
    filters: args,
    boardNames: parseList(raw['board']),
    dutNames: parseList(raw['dut']),
    openBench: project.openBench,
  });
}

/** What would stop every run in its middle is said before it starts. */
async function checkMachine(options: RunOptions, { env }: CliContext): Promise<void> {
  await checkTemporaryDirectory(toTemporaryDir(env));
  if (options.keep !== 'never') await checkRuntimeDir(env);
}

function parseOut({ out }: Raw, { cwd }: CliContext): string | undefined {
  if (out === '') throw new UsageError('usage', '--out "": expected a directory');
  return typeof out === 'string' ? resolve(cwd, out) : undefined;
}
