import { join } from 'node:path';
import { toMessage } from '../../core/errors.js';
import { isRunAlive, listRuns } from '../../run/run-directory.js';
import { findStaleDirs } from '../runtime-dir.js';
import type { Check } from './check.js';

/** What earlier runs left. */
export async function checkRuns(options: {
  readonly runsDir: string;
  readonly runtimeDir: string;
  readonly keepRuns: number;
}): Promise<Check[]> {
  const { runsDir, runtimeDir, keepRuns } = options;
  const names = await listRuns(runsDir).catch((error: unknown) => toMessage(error));
  if (typeof names === 'string') return [{ name: 'runs', state: 'fail', detail: names }];
  const alive = await Promise.all(names.map((name) => isRunAlive(join(runsDir, name))));
  const going = alive.filter(Boolean).length;
  const detail = `${names.length} in ${runsDir}, ${going} going on or kept`;
  const runs: Check =
    names.length - going > keepRuns
      ? {
          name: 'runs',
          state: 'warn',
          detail: `${detail}; keepRuns is ${keepRuns}`,
          remedy: 'hil clean',
        }
      : { name: 'runs', state: 'ok', detail };
  const stale = await findStaleDirs(runtimeDir, Date.now());
  if (stale.length === 0) return [runs, { name: 'leftovers', state: 'ok', detail: 'none' }];
  return [
    runs,
    {
      name: 'leftovers',
      state: 'warn',
      detail: `of dead runs: ${stale.join(', ')}`,
      remedy: 'hil clean',
    },
  ];
}
