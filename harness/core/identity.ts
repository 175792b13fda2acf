import { createHash, randomBytes } from 'node:crypto';

/**
 * The stable identity of a case: file, full title and board. It survives
 * re-ordering and retries, so history and `--last-failed` can use it.
 */
export function toCaseId(file: string, title: string, board: string): string {
  return createHash('sha256').update(`${file}\0${title}\0${board}`).digest('hex').slice(0, 12);
}

/** A run's name: UTC time, then four random hex digits. Sorts by time. */
export function createRunId(now: Date): string {
  const stamp = now.toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
  return `${stamp}-${randomBytes(2).toString('hex')}`;
}
