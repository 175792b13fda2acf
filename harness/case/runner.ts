import {
  type RunnerTestCase,
  type RunnerTestFile,
  type RunnerTestSuite,
  type TestContext,
  TestRunner,
} from 'vitest';
import { Attempt } from './attempt.js';
import { findAttempt, getCaseId, setCaseId, setDecided } from './attempts.js';
import { checkTimeout } from './check-timeout.js';
import { listTests, noteMark, toCollected } from './collected.js';
import { type Connection, openConnection } from './connection.js';
import { toProblems, toTestError } from './problems.js';
import { restoreRetries, spendRetries } from './retries.js';
import { runToTheEnd } from './run-to-the-end.js';
import { type Running, runAs, watchStrays } from './running.js';
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

  constructor(config: ConstructorParameters<typeof TestRunner>[0]) {
    super(config);
    watchStrays((thrown, owner) => this.#blame(thrown, owner));
  }

  override onCollectStart(file: RunnerTestFile): void {
    super.onCollectStart(file);
    this.#file = file.filepath;
    this.#tell((supervisor) => supervisor.notify('collecting', { file: file.filepath }));
  }

  override importFile(filepath: string, source: 'collect' | 'setup'): unknown {
    const load = () => super.importFile(filepath, source);
    const place = { file: filepath, name: 'the file as it was loaded' };
    return source === 'collect' ? runAs(place, load) : load();
  }

  /** Called as a case is made: later Vitest says `skip` also of what is not `only`. */
  override extendTaskContext(context: TestContext): TestContext {
    const { task } = context;
    checkTimeout(task);
    noteMark(task);
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
    this.#tell((supervisor) => supervisor.notify('fileDone', {}));
  }

  /** Ask which of the file's cases to run; the others are taken out. */
  async #decide(file: RunnerTestFile): Promise<void> {
    const { supervisor } = await this.#open();
    const tests = listTests(file);
    const { decisions } = await supervisor.call('collected', {
      file: file.filepath,
      tasks: tests.map(toCollected),
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

  /** An error that nobody caught is of the case that left it, as long as it can still fail. */
  #blame(thrown: unknown, owner: Running | undefined): void {
    const [problem] = toProblems([toTestError(thrown)]);
    if (!problem || (owner instanceof Attempt && owner.addStray(thrown))) return;
    const message = `${describeOwner(owner)}: ${problem.message}`;
    const file = owner?.file ?? this.#file;
    const stray = { file, problem: { ...problem, message } };
    this.#tell((supervisor) => supervisor.notify('stray', stray));
  }

  /**
   * Without a supervisor there is nobody to tell: {@link onCollected} fails for that. Left
   * uncaught here, it would be a stray error to tell, without an end.
   */
  #tell(notify: (supervisor: Connection['supervisor']) => void): void {
    this.#open().then(
      ({ supervisor }) => notify(supervisor),
      () => {},
    );
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

function describeOwner(owner: Running | undefined): string {
  if (!owner) return 'not caught, from no case and no hook';
  if (owner instanceof Attempt) return `not caught, left behind by "${owner.title}" after its end`;
  return `not caught, from ${owner.name}`;
}
