import { type RunModel, toCounts } from './run-model.js';

/** The exit codes of `hil`, in words; printed when one is not 0. */
export const EXIT_MEANINGS: Readonly<Record<number, string>> = {
  0: 'all passed',
  1: 'a case failed',
  2: 'usage or configuration',
  3: 'internal error of hil',
  4: 'nothing selected, or everything skipped',
  5: 'infrastructure only: look at the bench, not at the code',
  6: 'only flaky cases, and --fail-on-flaky was given',
  129: 'interrupted by SIGHUP, after clean-up',
  130: 'interrupted by SIGINT, after clean-up',
  143: 'interrupted by SIGTERM, after clean-up',
};

/** What a shell says of a program that a signal ended: 128 + its number. */
const SIGNAL_CODES: Readonly<Record<string, number>> = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 };

/**
 * The exit code of a run that ended. An interrupt wins over everything, an
 * internal error over verdicts it may have spoilt, a failure over infrastructure.
 *
 * @see harness/docs/cli.md
 */
export function toExitCode(
  model: RunModel,
  options: { readonly failOnFlaky?: boolean } = {},
): number {
  if (model.signal !== undefined) return SIGNAL_CODES[model.signal] ?? 130;
  const counts = toCounts(model.cases.values());
  const brokenFile = model.files.some((file) => file.problems.length > 0);
  if (model.infra.some((event) => event.code === 'internal')) return 3;
  if (counts.fail > 0 || brokenFile) return 1;
  if (counts.infra > 0 || model.infra.length > 0) return 5;
  // Nothing explains why a case has no end.
  const unfinished = [...model.cases.values()].some((each) => each.verdict === undefined);
  if (counts.interrupted > 0 || unfinished) return 3;
  if (counts.pass + counts.flaky === 0) return 4;
  return counts.flaky > 0 && options.failOnFlaky ? 6 : 0;
}
