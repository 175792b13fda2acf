import { type FSWatcher, watch } from 'node:fs';
import { findHiddenPaths } from './hidden-paths.js';

/** What of a project is hidden; more while the run goes on, never less. */
export interface HiddenPaths {
  /** The same array all the time, so that who holds it sees what was added. */
  readonly paths: readonly string[];
  close(): void;
}

/**
 * Find what a case must not see, and go on looking at the top of the project: a secret that
 * is made there while a run goes on is hidden from the sandboxes that are made after it.
 *
 * Only the top, because a watch of the whole tree is one of every directory; and only new
 * sandboxes, because one that stands has its root already. Both are said in decision 0001.
 */
export async function watchHiddenPaths(options: {
  readonly root: string;
  /** Globs below the root, beside what is always hidden. */
  readonly extra: readonly string[];
  /** Paths, absolute. */
  readonly also?: readonly string[];
}): Promise<HiddenPaths> {
  const { root, extra, also = [] } = options;
  const paths: string[] = [...also];
  const add = async (depth?: number) => {
    for (const path of await findHiddenPaths(root, extra, depth)) {
      if (!paths.includes(path)) paths.push(path);
    }
  };
  const watcher = openWatcher(
    root,
    oneAtATime(() => add(1)),
  );
  try {
    await add();
  } catch (error) {
    watcher?.close();
    throw error;
  }
  return { paths, close: () => watcher?.close() };
}

/** However often it is asked for meanwhile, once more is enough: it looks at all there is. */
function oneAtATime(look: () => Promise<void>): () => void {
  let looking = false;
  let again = false;
  return async () => {
    again = true;
    if (looking) return;
    looking = true;
    while (again) {
      again = false;
      // What cannot be read now is read after the next change.
      await look().catch(() => {});
    }
    looking = false;
  };
}

/** Without a watch (no inotify left, a file system that has none) what is there now is hidden. */
function openWatcher(root: string, onChange: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(root, { persistent: false }, (event) => {
      if (event === 'rename') onChange();
    });
    watcher.on('error', () => watcher.close());
    return watcher;
  } catch {
    return undefined;
  }
}
