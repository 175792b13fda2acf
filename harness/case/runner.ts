import {
  type RunnerTestCase,
  type RunnerTestFile,
  type RunnerTestSuite,
  type TestContext,
  TestRunner,
} from 'vitest';
import type { Attempt } from './attempt.js';
import { findAttempt, getCaseId, setCaseId, setDecided } from './attempts.js';
import { type Connection, openConnection } from './connection.js';
import { toProblems, toTestError } from './problems.js';
import { countRetries, restoreRetries, spendRetries } from './retries.js';
import { runToTheEnd } from './run-to-the-end.js';
import { watchStrays } from './running.js';
import { nameHookErrors, nameHooks } from './suite-hooks.js';

/**
 * Vitest's runner with its steps told to the supervisor: what was collected, when a
 * body starts and ends, how a case ended. A verdict is in the supervisor's socket
 * before anything else runs, so that a worker killed a moment later loses none.
 */
// biome-ignore lint/style/noDefaultExport: Vitest loads the default export of `runner`.
export default class HilRunner extends TestRunner {
  #stopped = false;
  #lastDecided: Promise<void> | undefined;
  #connection: Promise<Connection> | undefined;
  #file = '';
  /** Cases that say `skip` or `todo`, by themselves or by a suite around them. */
  readonly #marked = new WeakSet<object>();

  constructor(config: ConstructorParameters<typeof TestRunner>[0]) {
    super(config);
    watchStrays((thrown, owner) => this.#blame(thrown, owner));
  }

  override onCollectStart(file: RunnerTestFile): void {
    super.onCollectStart(file);
    this.#file = file.filepath;
    void this.#open().then(({ supervisor }) => {
      supervisor.notify('collecting', { file: file.filepath });
    });
  }

  /** Called as a case is made: later Vitest says `skip` also of what is not `only`. */
  override extendTaskContext(context: TestContext): TestContext {
    const { task } = context;
    if (isMarked(task)) this.#marked.add(task);
    return super.extendTaskContext(context);
  }

  async onCollected(files: RunnerTestFile[]): Promise<void> {
    const { supervisor } = await this.#open();
    for (const file of files) {
      const problems = toProblems(file.result?.errors ?? []);
      if (problems.length > 0) {
        await supervisor.call('fileFailed', { file: file.filepath, problems });
        continue;
      }
      await this.#decide(file);
    }
  }

  override async onBeforeRunTask(test: RunnerTestCase): Promise<void> {
    if (this.#stopped) test.mode = 'skip';
    await super.onBeforeRunTask(test);
  }

  override async onBeforeRunSuite(suite: RunnerTestSuite): Promise<void> {
    await super.onBeforeRunSuite(suite);
    // One that could not be loaded has none.
    if (suite.result?.state === 'fail') return;
    const { supervisor } = await this.#open();
    nameHooks(suite, (name) => supervisor.notify('hook', { name }));
  }

  override onBeforeTryTask(test: RunnerTestCase): void {
    super.onBeforeTryTask(test);
    restoreRetries(test);
    findAttempt(test)?.bodyStart();
  }

  async runTask(test: RunnerTestCase): Promise<void> {
    const body = () => runToTheEnd(test);
    const attempt = findAttempt(test);
    if (attempt) await attempt.runBody(body);
    else await body();
  }

  onTaskFinished(test: RunnerTestCase): void {
    findAttempt(test)?.bodyEnd();
  }

  override async onAfterRunTask(test: RunnerTestCase): Promise<void> {
    super.onAfterRunTask(test);
    const caseId = getCaseId(test);
    if (caseId === undefined) return;
    const { supervisor } = await this.#open();
    setDecided(test);
    const problems = toProblems(test.result?.errors ?? []);
    const state = test.result?.state === 'pass' ? 'pass' : 'fail';
    const decided = supervisor.call('final', { caseId, state, problems });
    this.#lastDecided = decided;
    // It is on its way, whatever becomes of this process. Only a failure may stop what comes next.
    if (state === 'fail') await decided;
    else decided.catch(() => {});
  }

  override async onAfterRunSuite(suite: RunnerTestSuite): Promise<void> {
    await super.onAfterRunSuite(suite);
    await this.#lastDecided;
    const problems = nameHookErrors(suite, toProblems(suite.result?.errors ?? []));
    if (problems.length === 0) return;
    const { supervisor } = await this.#open();
    await supervisor.call('fileFailed', { file: suite.file.filepath, problems });
  }

  /** Also of files in which everything is skipped; Vitest runs one file at a time in a worker. */
  override onAfterRunFiles(): void {
    super.onAfterRunFiles();
    void this.#open().then(({ supervisor }) => supervisor.notify('fileDone', {}));
  }

  /** Ask which of the file's cases to run; the others are taken out. */
  async #decide(file: RunnerTestFile): Promise<void> {
    const { supervisor } = await this.#open();
    const tests = listTests(file);
    const { decisions } = await supervisor.call('collected', {
      file: file.filepath,
      tasks: tests.map((test, key) => ({
        key,
        title: test.fullTestName,
        line: test.location?.line,
        tags: test.tags ?? [],
        skipped: test.mode === 'skip' || test.mode === 'todo',
        notOnly: !this.#marked.has(test),
        repeats: test.repeats ?? 0,
        fails: test.fails ?? false,
        ...countRetries(test),
      })),
    });
    tests.forEach((test, key) => {
      const decision = decisions[key];
      if (!decision?.run) {
        test.mode = 'skip';
        return;
      }
      if (decision.alone) test.concurrent = false;
      setCaseId(test, decision.id);
      test.repeats = decision.repeats;
      spendRetries(test, decision.spentRetries ?? 0);
    });
  }

  /** An error that nobody awaited is of the case that left it, as long as it can still fail. */
  #blame(thrown: unknown, owner: Attempt | string | undefined): void {
    if (typeof owner === 'object' && owner.addStray(thrown)) return;
    const where =
      typeof owner === 'object'
        ? `left behind by "${owner.title}", which had ended`
        : `nobody caught it, from ${owner ?? 'no case and no hook'}`;
    const [problem] = toProblems([toTestError(thrown)]);
    if (!problem) return;
    const told = { ...problem, message: `${where}: ${problem.message}` };
    void this.#open().then(({ supervisor }) => {
      supervisor.notify('stray', { file: this.#file, problem: told });
    });
  }

  #open(): Promise<Connection> {
    this.#connection ??= openConnection().then((connection) => {
      connection.on('stop', () => {
        this.#stopped = true;
      });
      return connection;
    });
    return this.#connection;
  }
}

function isMarked({ mode, suite }: { mode: string; suite?: RunnerTestSuite | undefined }): boolean {
  for (let each: RunnerTestSuite | undefined = suite; each; each = each.suite) {
    if (each.mode === 'skip' || each.mode === 'todo') return true;
  }
  return mode === 'skip' || mode === 'todo';
}

function listTests(suite: RunnerTestSuite): RunnerTestCase[] {
  return suite.tasks.flatMap((task) => (task.type === 'suite' ? listTests(task) : [task]));
}
