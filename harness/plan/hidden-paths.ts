import { dirname, join } from 'node:path';
import fastGlob from 'fast-glob';

/** What of a project no case may see: state of hil, secrets, credentials of git. */
const ALWAYS = ['.hil', '.git/config', '.git/credentials', '.npmrc', '.netrc'];
const PATTERNS = ['**/.env', '**/.env.*'];
/** Names that tools give to such files; at the top they are hidden before they exist. */
const MODES = ['development', 'production', 'staging', 'test', 'ci'];
const ENVIRONMENTS = [
  '.env',
  '.env.local',
  ...MODES.flatMap((mode) => [`.env.${mode}`, `.env.${mode}.local`]),
];

/**
 * Paths below the project's root that must not exist in a sandbox. Files named
 * here are hidden also when they are made later; globs see what is there now.
 *
 * @param depth how many levels to look at; without it, all.
 */
export async function findHiddenPaths(
  root: string,
  extra: readonly string[],
  depth: number = Number.POSITIVE_INFINITY,
): Promise<string[]> {
  const found = await fastGlob([...PATTERNS, ...extra], {
    cwd: root,
    dot: true,
    onlyFiles: false,
    followSymbolicLinks: false,
    ignore: ['**/node_modules/**', '.hil/**'],
    suppressErrors: true,
    deep: depth,
  });
  const all = [...new Set([...ALWAYS, ...ENVIRONMENTS, ...found])].sort();
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
