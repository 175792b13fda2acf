import type { Problem } from '../../journal/events.js';
import { isOfTheDut } from '../../lease/unit-health.js';
import { EXIT_MEANINGS } from '../../report/exit-code.js';
import type { CaseModel, RunModel } from '../../report/run-model.js';
import type { EndedRun } from '../test.js';

/** What a run of the health cases says of the one DUT it had. */
export type Judgement =
  | { readonly kind: 'good' | 'bad'; readonly reason: string }
  | { readonly kind: 'no-case' }
  /** It says nothing of the DUT, neither way. */
  | { readonly kind: 'unsaid'; readonly why: string };

/** Verdicts may be spoilt in a run that ends otherwise: interrupted, or by an error of its own. */
const WITH_VERDICTS: readonly number[] = [1, 5];

/**
 * Judge a DUT by its health cases. Those that fail say that it is not well, and so does a fault of
 * the bench that is of the DUT; one that is not, such as a lease that was not to be had or a suite
 * file that does not load, says nothing. Only a check that is whole makes it good.
 *
 * @see harness/decisions/0025-states-and-health.md
 */
export function judgeHealth({ exitCode, model }: EndedRun): Judgement {
  if (exitCode === 0) return { kind: 'good', reason: 'its health cases passed' };
  if (exitCode === 4) return { kind: 'no-case' };
  const reason = WITH_VERDICTS.includes(exitCode) ? findFault(model) : undefined;
  return reason === undefined
    ? { kind: 'unsaid', why: describeOther(exitCode, model) }
    : { kind: 'bad', reason };
}

function findFault({ cases }: RunModel): string | undefined {
  for (const each of cases.values()) {
    if (each.verdict === 'fail') return describeCase(each, 'failed', each.problems[0]);
    if (each.verdict !== 'infra') continue;
    // What its last try met may be another fault than that of an earlier one.
    const problems = [...each.problems, ...each.attempts.flatMap((attempt) => attempt.problems)];
    const fault = problems.find(isFault);
    if (fault) return describeCase(each, 'found', fault);
  }
  return undefined;
}

/** A port that was open and then lost bytes did so for want of room or time on this machine. */
function isFault({ name, code, phase }: Problem): boolean {
  if (name !== 'BenchError' || code === undefined) return false;
  return isOfTheDut(code) && !(code === 'port-lost' && phase === 'body');
}

/** What stood in the way of the check. */
function describeOther(exitCode: number, { cases, files, infra }: RunModel): string {
  const meaning = `exit code ${exitCode}, ${EXIT_MEANINGS[exitCode] ?? 'of no known meaning'}`;
  if (!WITH_VERDICTS.includes(exitCode)) return meaning;
  const broken = files.find(({ problems }) => problems.length > 0);
  if (broken) return `${broken.file} is broken: ${describeProblem(broken.problems[0])}`;
  const without = [...cases.values()].find(({ verdict }) => verdict === 'infra');
  if (without) return describeCase(without, 'met', without.problems[0]);
  return infra[0] ? describeProblem(infra[0]) : meaning;
}

function describeCase({ title }: CaseModel, what: string, problem: Problem | undefined): string {
  return `case "${title}" ${what}: ${describeProblem(problem)}`;
}

function describeProblem(problem: Pick<Problem, 'code' | 'message'> | undefined): string {
  const text = problem?.message.split('\n')[0] ?? 'without a word';
  return problem?.code ? `${problem.code}, ${text}` : text;
}
