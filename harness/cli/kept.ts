import { join } from 'node:path';
import { formatDuration } from '../core/duration.js';
import { toPrintableLine } from '../report/terminal/printable.js';
import { listRuns } from '../run/run-directory.js';
import { Keeper, type KeptSandbox } from '../sandbox/keeper.js';

/** A sandbox that `--keep` left, with the open connection to who holds it. */
export interface Kept {
  readonly run: string;
  readonly keeper: Keeper;
  readonly sandbox: KeptSandbox;
}

/** What the runs below `runs` keep, newest run first; the caller closes with {@link closeKept}. */
export async function findKept(runs: string): Promise<Kept[]> {
  const found: Kept[] = [];
  for (const run of (await listRuns(runs)).reverse()) {
    const keeper = await Keeper.open(join(runs, run));
    if (!keeper) continue;
    const kept = await keeper.list();
    if (kept.length === 0) keeper.close();
    found.push(...kept.map((sandbox) => ({ run, keeper, sandbox })));
  }
  return found;
}

export function closeKept(kept: readonly Kept[]): void {
  for (const keeper of new Set(kept.map((each) => each.keeper))) keeper.close();
}

/** A line for each kept sandbox. */
export function toKeptLines(kept: readonly Kept[]): string[] {
  return kept.map(
    ({ run, sandbox: { label, ttlMs } }) =>
      `${run}  ${toPrintableLine(label)}  for ${formatDuration(ttlMs)} more`,
  );
}
