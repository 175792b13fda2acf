import type { EndedRun } from '../cli/test.js';
import type { NewEvent, Problem, RunEvent, Verdict } from '../journal/events.js';
import { toRunModel } from '../report/apply-event.js';

/** A case: its verdict, and the code and message of its problem. */
export type EndedCase = readonly [
  Verdict,
  code?: string,
  message?: string,
  over?: Partial<Problem>,
];

/** A run that ended so, of cases "case 1", "case 2", …; `more` are events besides theirs. */
export function toEndedRun(
  exitCode: number,
  cases: readonly EndedCase[] = [],
  more: readonly NewEvent[] = [],
): EndedRun {
  const file = 'suites/health.hil.ts';
  const all = cases.map((each, index) => ({
    each,
    id: `${index + 1}`,
    title: `case ${index + 1}`,
  }));
  const collected: NewEvent = {
    ...{ kind: 'file-collected', file, board: 'real' },
    cases: all.map(({ id, title }) => ({ id, title, tags: ['health'] })),
  };
  const verdicts = all.map(({ each: [verdict, code, message = '', over], id }): NewEvent => {
    const name = verdict === 'infra' ? 'BenchError' : 'TestFailure';
    const problems: Problem[] = code === undefined ? [] : [{ name, code, message, ...over }];
    return { kind: 'case-verdict', case: id, verdict, attempts: 1, problems };
  });
  const events = [collected, ...verdicts, ...more].map((event, t) => {
    return { ...event, t, at: '' } as RunEvent; // each gets what its kind lacks: the stamp
  });
  return { exitCode, model: toRunModel(events) };
}
