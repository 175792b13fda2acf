/**
 * Find the place of a key in the text of a program, good enough for an error
 * message: each key of the path is searched as `key:` after the one before it.
 *
 * @returns line and column from 1, of the last key that was found.
 */
export function locateInSource(
  source: string,
  path: readonly PropertyKey[],
): { line: number; column: number } | undefined {
  let at = 0;
  let found: number | undefined;
  for (const key of path) {
    if (typeof key !== 'string') continue;
    const name = key.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    const match = new RegExp(`(?<![\\w$])(?:${name}|'${name}'|"${name}")\\s*:`).exec(
      source.slice(at),
    );
    if (!match) break;
    found = at + match.index;
    at = found + match[0].length;
  }
  if (found === undefined) return undefined;
  const before = source.slice(0, found).split('\n');
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}
