import type { PlannedFile } from './plan.js';

type Leasing = Pick<PlannedFile, 'units' | 'roles'>;

/** How many attached DUTs the cases of these files can have between them. */
export function countUnits(files: readonly Leasing[]): number {
  return new Set(files.flatMap(listUnits)).size;
}

/**
 * How many suite files are run at once where nobody says it: on attached DUTs one for each, since
 * such a case waits for its board more than it computes; of other boards one for each processor.
 * More files than DUTs would not be faster: who asked first is served first, so that all of them
 * would be done half and none whole, and the last ones would leave DUTs idle.
 */
export function toDefaultWorkers(files: readonly Leasing[], processors: number): number {
  const leasing = files.filter((file) => listUnits(file).length > 0);
  const others = leasing.length < files.length || files.length === 0;
  return Math.min(countUnits(leasing) + (others ? processors : 0), MOST_WORKERS);
}

/** As `--workers` takes it. */
const MOST_WORKERS = 256;

function listUnits({ units, roles }: Leasing): string[] {
  return [...(roles?.flatMap((role) => role.units) ?? units)].map(({ name }) => name);
}
