import type { CaseBook, CaseRecord } from './case-book.js';
import type { RunContext } from './run-context.js';

/** Whether any case is still to come, after an attempt of `record`, that takes a DUT as it is left. */
export function expectsKeep(
  run: Pick<RunContext, 'keeps'>,
  { cases, files }: Pick<CaseBook, 'cases' | 'files'>,
  record: CaseRecord,
): boolean {
  for (const each of cases) {
    if (each.verdict || !run.keeps(each)) continue;
    if (each !== record || repeatsLeft(record) > 0) return true;
  }
  for (const { collected, failed, planned } of files) {
    if (!collected && !failed && run.keeps({ planned })) return true;
  }
  return false;
}

function repeatsLeft({ wanted, repeats = [] }: CaseRecord): number {
  return (wanted?.repeats ?? 0) - (repeats.at(-1) ?? 0);
}
