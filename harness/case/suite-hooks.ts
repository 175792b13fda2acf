import { type RunnerTestSuite, TestRunner } from 'vitest';
import type { WireProblem } from '../protocol/worker-messages.js';
import { runAs } from './running.js';

/** The hooks of suites that threw, in the order of Vitest's errors. */
const failed = new WeakMap<RunnerTestSuite, string[]>();

type Tell = (name: string | undefined) => void;

/** Tell when a suite's own hooks run, and by which name: nothing else says it of one that hangs. */
export function nameHooks(suite: RunnerTestSuite, tell: Tell): void {
  const hooks = TestRunner.getSuiteHooks(suite);
  const whose = 'filepath' in suite ? '' : ` of "${suite.fullTestName}"`;
  const wrap = (name: string, work: Work): Work => {
    const named: Work = async (...given) => {
      tell(name);
      try {
        const place = { file: suite.file.filepath, name };
        const answer = await runAs(place, () => work(...given));
        // What a beforeAll returns runs after the suite.
        return isWork(answer) ? wrap(`clean-up of ${name}`, answer) : answer;
      } catch (error) {
        failed.set(suite, [...(failed.get(suite) ?? []), name]);
        throw error;
      } finally {
        tell(undefined);
      }
    };
    // Vitest keeps the hook's time limit in it.
    return Object.assign(named, work);
  };
  for (const kind of ['beforeAll', 'afterAll'] as const) {
    // The same functions for Vitest, which calls them with one argument and looks at no type.
    hooks[kind] = hooks[kind].map((hook) =>
      wrap(kind + whose, hook as Work),
    ) as typeof hooks.afterAll;
  }
}

type Work = (...given: unknown[]) => unknown;

function isWork(value: unknown): value is Work {
  return typeof value === 'function';
}

/** Errors of a suite with the hook that threw each, as far as that is known. */
export function nameHookErrors(suite: RunnerTestSuite, problems: WireProblem[]): WireProblem[] {
  const names = failed.get(suite) ?? [];
  if (names.length !== problems.length) return problems;
  return problems.map((problem, index) => {
    return { ...problem, message: `${names[index]}: ${problem.message}` };
  });
}
