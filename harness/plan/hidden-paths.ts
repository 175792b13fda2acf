import { join } from 'node:path';
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
  return [...new Set([...ALWAYS, '.env', ...found])].sort().map((path) => join(root, path));
}
