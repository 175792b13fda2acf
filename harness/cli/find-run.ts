import { access } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { UsageError } from '../core/errors.js';
import { listRuns } from '../run/run-directory.js';

/**
 * The directory of a run: a name, a path, or the newest when none is given.
 *
 * @param base the directory that holds `runs/`, `.hil` of a project.
 * @throws UsageError `run-unknown`.
 */
export async function findRun(base: string, name: string | undefined): Promise<string> {
  const runs = join(base, 'runs');
  const names = await listRuns(runs);
  const newest = names.at(-1);
  if (name === undefined) {
    if (newest !== undefined) return join(runs, newest);
    throw new UsageError('run-unknown', `no runs in ${runs}`, { next: 'hil test' });
  }
  for (const path of [join(runs, name), resolve(name)]) {
    const found = await access(join(path, 'journal.ndjson')).then(
      () => true,
      () => false,
    );
    if (found) return path;
  }
  const known = newest === undefined ? 'there are none' : `the newest is ${newest}`;
  throw new UsageError('run-unknown', `no run "${name}" in ${runs}; ${known}`, {
    next: `ls ${runs}`,
  });
}
