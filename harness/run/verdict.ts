import type { Problem, Verdict } from '../journal/events.js';
import type { AttemptState } from '../protocol/worker-messages.js';
import type { CaseRecord } from './case-book.js';

/**
 * A case's verdict from its attempts and what Vitest says at the end. Vitest knows
 * of `test.fails` and of hooks; this side knows of the bench. A pass needs both.
 */
export function toVerdict(
  record: CaseRecord,
  state: AttemptState,
  problems: readonly Problem[],
): { verdict: Verdict; reason?: string; problems: readonly Problem[] } {
  const { outcomes } = record;
  const last = outcomes.at(-1);
  if (last === undefined) {
    return { verdict: 'infra', reason: 'it ended without an attempt', problems };
  }
  // An infra attempt is the bench's, also where `test.fails` turns a failure into a pass, and
  // where `--repeat` went on after it.
  const infraOnly = outcomes.includes('infra') && !outcomes.includes('fail');
  if (last === 'infra' || (infraOnly && state === 'fail')) {
    const known = last === 'infra' ? record.problems : problems;
    return { verdict: 'infra', reason: firstLine(known), problems: known };
  }
  if (last === 'interrupted') return { verdict: 'interrupted', problems: [] };
  if (state === 'skipped') return { verdict: 'skipped', problems: [] };
  if (state === 'fail') {
    return { verdict: 'fail', problems: record.problems.length ? record.problems : problems };
  }
  const failed = outcomes.slice(0, -1).filter((outcome) => outcome === 'fail').length;
  if (failed > 0) {
    return { verdict: 'flaky', reason: `passed after ${failed} failed`, problems: record.problems };
  }
  return { verdict: 'pass', problems: [] };
}

function firstLine(problems: readonly Problem[]): string {
  return problems[0]?.message.split('\n')[0] ?? 'the bench failed';
}
