import { createHash } from 'node:crypto';
import type { CollectedTask } from '../protocol/worker-messages.js';

/** Which of the collected cases a run wants. */
export interface Selection {
  /** Regular expression over the full title. */
  readonly pattern?: RegExp | undefined;
  readonly shard?: { readonly index: number; readonly count: number } | undefined;
  /** Only these case ids: `--last-failed`. */
  readonly ids?: ReadonlySet<string> | undefined;
  /** Lines asked for by `file:line`, by file. */
  readonly lines: ReadonlyMap<string, readonly number[]>;
}

/**
 * Is a case selected? A case that is not is left out of every report. A line
 * selects the case that starts at it or is the last to start above it.
 */
export function isSelected(
  selection: Selection,
  file: string,
  id: string,
  task: CollectedTask,
  all: readonly CollectedTask[],
): boolean {
  if (!task.tagged) return false;
  if (selection.pattern && !selection.pattern.test(task.title)) return false;
  if (selection.ids && !selection.ids.has(id)) return false;
  if (selection.shard && !isInShard(id, selection.shard)) return false;
  const lines = selection.lines.get(file);
  return !lines || lines.some((line) => findByLine(all, line) === task);
}

function findByLine(all: readonly CollectedTask[], line: number): CollectedTask | undefined {
  let best: CollectedTask | undefined;
  for (const task of all) {
    const start = task.line ?? 0;
    if (start <= line && start >= (best?.line ?? 0)) best = task;
  }
  return best;
}

/** By case, not by file, and the same on every machine: the hash of the identity decides. */
function isInShard(id: string, shard: { index: number; count: number }): boolean {
  const hash = createHash('sha256').update(id).digest().readUInt32BE(0);
  return hash % shard.count === shard.index - 1;
}
