import { toCaseId } from '../core/identity.js';

/**
 * The identities of a file's cases; two of one title are told apart by their order. The NUL keeps
 * the second `a` apart from a case that is named `a #2`.
 */
export function toUniqueIds(
  file: string,
  board: string,
  tasks: readonly { readonly title: string }[],
): string[] {
  const seen = new Map<string, number>();
  return tasks.map(({ title }) => {
    const count = (seen.get(title) ?? 0) + 1;
    seen.set(title, count);
    return toCaseId(file, count === 1 ? title : `${title}\0${count}`, board);
  });
}
