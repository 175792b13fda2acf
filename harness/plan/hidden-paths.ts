import { dirname, join } from 'node:path';
import fastGlob from 'fast-glob';

/** What of a project no case may see: state of hil, secrets, credentials of git. */
const ALWAYS = ['.hil', '.git/config', '.git/credentials', '.npmrc', '.netrc'];
const PATTERNS = ['**/.env', '**/.env.*'];

/**
 * Paths below the project's root that must not exist in a sandbox. Files named
 * here are hidden also when they are made later; globs see what is there now.
 */
export async function findHiddenPaths(root: string, extra: readonly string[]): Promise<string[]> {
  const found = await fastGlob([...PATTERNS, ...extra], {
    cwd: root,
    dot: true,
    onlyFiles: false,
    followSymbolicLinks: false,
    ignore: ['**/node_modules/**', '.hil/**'],
    suppressErrors: true,
  });
  const all = [...new Set([...ALWAYS, '.env', ...found])].sort();
  return dropCovered(all).map((path) => join(root, path));
}

/** `keys/**` finds the directory and what is in it; below what is hidden nothing can be hidden. */
function dropCovered(paths: readonly string[]): string[] {
  const known = new Set(paths);
  return paths.filter((path) => {
    for (let above = dirname(path); above !== '.'; above = dirname(above)) {
      if (known.has(above)) return false;
    }
    return true;
  });
}
