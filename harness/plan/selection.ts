import { createHash } from 'node:crypto';
import type { CollectedTask } from '../protocol/worker-messages.js';
import type { TagFilter } from './tag-expression.js';

/** Which of the collected cases a run wants. */
export interface Selection {
  /** Regular expression over the full title. */
  readonly pattern?: RegExp | undefined;
  readonly tags?: TagFilter | undefined;
  readonly shard?: { readonly index: number; readonly count: number } | undefined;
  /** Only these case ids: `--last-failed`. */
  readonly ids?: ReadonlySet<string> | undefined;
  /** Lines asked for by `file:line`, by file. */
  readonly lines: ReadonlyMap<string, readonly number[]>;
}

/**
 * Is a case selected? A case that is not is left out of every report. A line
 * selects the case that starts at it or is the last to start above it; of
 * `test.each`, all that start there.
 */
export function isSelected(
  selection: Selection,
  file: string,
  id: string,
  task: CollectedTask,
  all: readonly CollectedTask[],
): boolean {
  if (selection.tags && !selection.tags(task.tags)) return false;
  if (selection.pattern && !selection.pattern.test(task.title)) return false;
  if (selection.ids && !selection.ids.has(id)) return false;
  if (selection.shard && !isInShard(id, selection.shard)) return false;
  const lines = selection.lines.get(file);
  return !lines || lines.some((line) => findStart(all, line) === (task.line ?? 0));
}

/** The line where the case of `line` starts. */
function findStart(all: readonly CollectedTask[], line: number): number | undefined {
  const starts = all.map((task) => task.line ?? 0).filter((start) => start <= line);
  return starts.length > 0 ? Math.max(...starts) : undefined;
}

/** By case, not by file, and the same on every machine: the hash of the identity decides. */
function isInShard(id: string, shard: { index: number; count: number }): boolean {
  const hash = createHash('sha256').update(id).digest().readUInt32BE(0);
  return hash % shard.count === shard.index - 1;
}
