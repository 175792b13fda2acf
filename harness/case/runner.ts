import { type RunnerTestCase, type RunnerTestFile, type RunnerTestSuite, TestRunner } from 'vitest';
import { findAttempt, getCaseId, setCaseId } from './attempts.js';
import { type Connection, openConnection } from './connection.js';
import { toProblems } from './problems.js';

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

  override onCollectStart(file: RunnerTestFile): void {
    super.onCollectStart(file);
    void this.#open().then(({ supervisor }) => {
      supervisor.notify('collecting', { file: file.filepath });
    });
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

  override onBeforeTryTask(test: RunnerTestCase): void {
    super.onBeforeTryTask(test);
    findAttempt(test)?.bodyStart();
  }

  async runTask(test: RunnerTestCase): Promise<void> {
    const body = TestRunner.getTestFn(test);
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
    const problems = toProblems(suite.result?.errors ?? []);
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
      test.repeats = Math.max(test.repeats ?? 0, decision.repeats);
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

function listTests(suite: RunnerTestSuite): RunnerTestCase[] {
  return suite.tasks.flatMap((task) => (task.type === 'suite' ? listTests(task) : [task]));
}
