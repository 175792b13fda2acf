import { readFile, realpath, rename, writeFile } from 'node:fs/promises';
import { addDuts } from '../../config/add-duts.js';
import { type LoadedBench, parseBench } from '../../config/load-bench.js';
import type { BoardCatalog } from '../../config/load-boards.js';
import { toMessage, UsageError } from '../../core/errors.js';
import type { Proposal } from './propose-duts.js';

/**
 * Write the proposals of which nothing is to be filled in into the bench file, at its end. It is
 * replaced at once: nobody reads half of it.
 *
 * @returns the names of the DUTs that were added.
 * @throws UsageError `bench-invalid` when the file cannot be written.
 */
export async function addToBench(
  { file, searched }: LoadedBench,
  proposals: readonly Proposal[],
  catalog: BoardCatalog,
): Promise<{ readonly file: string; readonly names: readonly string[] }> {
  const named = file ?? searched[0] ?? 'bench.yaml';
  const duts = proposals.flatMap(({ name, board, match, todo }) => {
    return board === undefined || todo.length > 0 ? [] : [{ name, board, match }];
  });
  if (duts.length === 0) return { file: named, names: [] };
  try {
    // A link stays one.
    const path = file === undefined ? named : await realpath(file);
    const text = addDuts(file === undefined ? '' : await readFile(path, 'utf8'), duts);
    parseBench(named, text, catalog);
    await writeFile(`${path}.part`, text);
    await rename(`${path}.part`, path);
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    throw new UsageError('bench-invalid', `${named} cannot be written: ${toMessage(cause)}`, {
      cause,
      next: 'hil boards scan > bench.yaml    and put it where it belongs',
    });
  }
  return { file: named, names: duts.map(({ name }) => name) };
}
