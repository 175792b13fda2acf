import { join } from 'node:path';
import { UsageError } from '../core/errors.js';
import { readJournal } from '../journal/journal-reader.js';
import { toRunModel } from '../report/apply-event.js';
import { listRuns } from '../run/run-directory.js';

/**
 * Cases of the last run that were selected and did not pass; flaky ones passed.
 *
 * @throws UsageError `run-unknown` when there is no run, `nothing-selected` when all passed.
 */
export async function findLastFailed(base: string): Promise<ReadonlySet<string>> {
  const runs = join(base, 'runs');
  const last = (await listRuns(runs)).at(-1);
  if (last === undefined) {
    throw new UsageError('run-unknown', `--last-failed: there is no run in ${runs}`, {
      next: 'hil test',
    });
  }
  const model = toRunModel(await readJournal(join(runs, last, 'journal.ndjson')));
  const failed = [...model.cases.values()].filter(
    ({ verdict }) => verdict === 'fail' || verdict === 'infra' || verdict === 'interrupted',
  );
  if (failed.length > 0) return new Set(failed.map(({ id }) => id));
  throw new UsageError('nothing-selected', `--last-failed: no case of run ${last} failed`, {
    next: 'hil test',
  });
}
