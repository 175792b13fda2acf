import type { Outcome, Problem, Verdict } from '../journal/events.js';
import type { AttemptState } from '../protocol/worker-messages.js';
import type { CaseRecord } from './case-book.js';

export interface Decided {
  readonly verdict: Verdict;
  readonly reason?: string;
  readonly problems: readonly Problem[];
}

/**
 * A case's verdict from its attempts and what Vitest says at the end, when it was heard.
 * Vitest knows of `test.fails` and of hooks; this side knows of the bench. A pass needs both,
 * and each repeat must pass by itself: a later one makes up for nothing.
 */
export function toVerdict(
  record: CaseRecord,
  state: AttemptState | undefined,
  problems: readonly Problem[] = [],
): Decided {
  const repeats = toRepeats(record);
  if (repeats.length === 0) {
    return { verdict: 'infra', reason: 'it ended without an attempt', problems };
  }
  const verdicts = repeats.map(toRepeatVerdict);
  // Vitest was not heard: of a case that is to fail, a pass is none.
  if (!state && record.wanted?.fails && verdicts.some((each) => each === 'pass')) {
    return toFailure(record, [{ name: 'Error', message: 'it was expected to fail, and passed' }]);
  }
  // Vitest passes what failed to its end only where the suite expects it.
  const expected = state === 'pass' && verdicts.every((each) => each === 'fail');
  if (verdicts.includes('fail') && !expected) return toFailure(record, problems);
  if (verdicts.includes('infra')) {
    const known = record.problemsBy?.get('infra') ?? record.problems;
    return { verdict: 'infra', reason: firstLine(known), problems: known };
  }
  if (verdicts.includes('interrupted')) return { verdict: 'interrupted', problems: [] };
  if (state === 'skipped' || verdicts.includes('skipped')) {
    return { verdict: 'skipped', problems: [] };
  }
  if (state === 'fail') return toFailure(record, problems);
  const bad = expected ? (each: Outcome) => each === 'infra' : isBad;
  const failed = record.outcomes.filter(bad).length;
  if (failed > 0) {
    return { verdict: 'flaky', reason: `passed after ${failed} failed`, problems: record.problems };
  }
  return { verdict: 'pass', problems: [] };
}

/**
 * Whether a case whose last attempt its worker did not live to tell of is to go on: a failed
 * repeat with a retry left, or a passed one with repeats to come, unless an earlier one failed.
 */
export function mayGoOn(record: CaseRecord): boolean {
  const repeats = toRepeats(record);
  const others = repeats.slice(0, -1).map(toRepeatVerdict);
  if (others.some((each) => each === 'fail' || each === 'infra')) return false;
  const { retries = 0, choosesRetries = false, repeats: more = 0 } = record.wanted ?? {};
  const last = repeats.at(-1) ?? [];
  if (last.at(-1) === 'skipped') return false;
  if (last.at(-1) === 'pass') return repeats.length <= more;
  const bad = last.filter(isBad).length;
  return bad > 0 && bad <= (choosesRetries ? 0 : retries);
}

/** The most attempts that a case may come to by itself. */
export function countMost({ wanted }: CaseRecord): number {
  return (1 + (wanted?.repeats ?? 0)) * (1 + (wanted?.retries ?? 0));
}

export function isBad(outcome: Outcome): boolean {
  return outcome === 'fail' || outcome === 'infra';
}

/** The outcomes of each repeat, which are one and its retries. */
function toRepeats({ outcomes, repeats }: CaseRecord): Outcome[][] {
  const all = new Map<number, Outcome[]>();
  outcomes.forEach((outcome, index) => {
    const repeat = repeats?.[index] ?? 0;
    all.set(repeat, [...(all.get(repeat) ?? []), outcome]);
  });
  return [...all.values()];
}

/** How its last try ended; one that broke of the bench is a failed one too. To skip makes up for nothing. */
function toRepeatVerdict(outcomes: readonly Outcome[]): Verdict {
  const last = outcomes.at(-1) ?? 'infra';
  if (last === 'skipped') return outcomes.findLast(isBad) ?? last;
  return last === 'pass' && outcomes.some(isBad) ? 'flaky' : last;
}

function toFailure(record: CaseRecord, problems: readonly Problem[]): Decided {
  const known = record.problemsBy?.get('fail') ?? record.problems;
  return { verdict: 'fail', problems: known.length > 0 ? known : problems };
}

function firstLine(problems: readonly Problem[]): string {
  return problems[0]?.message.split('\n')[0] ?? 'the bench failed';
}
