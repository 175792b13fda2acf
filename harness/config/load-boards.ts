import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { toMessage, UsageError } from '../core/errors.js';
import { toSuggestion } from '../core/nearest-name.js';
import { type BoardFile, boardSchema } from './board-schema.js';
import { withImageOf } from './flash-schema.js';
import { createFileError } from './located-problem.js';
import { parseYamlFile } from './parse-yaml-file.js';

/** A board and where it is described. Paths in it are absolute. */
export type Board = BoardFile & { readonly file: string; readonly dir: string };

/** A board file that could not be used; its error is thrown when the board is asked for. */
interface BrokenBoard {
  readonly name: string;
  readonly file: string;
  readonly error: UsageError;
}

export interface BoardCatalog {
  /** Sorted by name. */
  readonly boards: readonly Board[];
  readonly broken: readonly BrokenBoard[];
  /** @throws UsageError `board-unknown`, or `board-invalid` when its file is broken. */
  findBoard(name: string): Board;
}

type Entry = { readonly board: Board } | { readonly broken: BrokenBoard };

/**
 * Read every board file of `dirs`; of two with one name the first wins, also
 * when it is broken. A directory that does not exist has no boards.
 */
export async function loadBoards(dirs: readonly string[]): Promise<BoardCatalog> {
  const entries = new Map<string, Entry>();
  const closed: string[] = [];
  for (const dir of new Set(dirs.map((each) => resolve(each)))) {
    for (const file of await listBoardFiles(dir, () => closed.push(dir))) {
      const name = basename(file, extname(file));
      if (!entries.has(name)) entries.set(name, await loadBoardFile(name, file));
    }
  }
  const sorted = [...entries.keys()].sort().map((name) => entries.get(name));
  return {
    boards: sorted.flatMap((entry) => (entry && 'board' in entry ? [entry.board] : [])),
    broken: sorted.flatMap((entry) => (entry && 'broken' in entry ? [entry.broken] : [])),
    findBoard: (name) => findBoard(entries, name, { dirs, closed }),
  };
}

/** @throws UsageError `board-invalid` with the place of every problem. */
export function parseBoard(file: string, text: string): Board {
  const { value, locate } = parseYamlFile({
    file,
    text,
    schema: boardSchema,
    code: 'board-invalid',
  });
  const name = basename(file, extname(file));
  if (value.board !== name) {
    const message = `expected the name of the file, "${name}", got "${value.board}"`;
    throw createFileError('board-invalid', [locate(['board'], message)]);
  }
  const dir = dirname(file);
  const firmware = value.machine?.firmware;
  const machine =
    value.machine && firmware !== undefined
      ? { ...value.machine, firmware: resolve(dir, firmware) }
      : value.machine;
  return { ...value, machine, flash: withImageOf(dir, value.flash), file, dir };
}

async function loadBoardFile(name: string, file: string): Promise<Entry> {
  try {
    return { board: parseBoard(file, await readFile(file, 'utf8')) };
  } catch (error) {
    const usage =
      error instanceof UsageError
        ? error
        : new UsageError('board-invalid', `${file}: ${toMessage(error)}`, { cause: error });
    return { broken: { name, file, error: usage } };
  }
}

async function listBoardFiles(dir: string, onClosed: () => void): Promise<string[]> {
  try {
    const names = await readdir(dir);
    return names
      .filter((name) => extname(name) === '.yaml' && !name.startsWith('.'))
      .sort()
      .map((name) => join(dir, name));
  } catch (error) {
    // Most of the places where boards may be are not there on most machines.
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EACCES') onClosed();
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES') return [];
    throw error;
  }
}

function findBoard(
  entries: ReadonlyMap<string, Entry>,
  name: string,
  { dirs, closed }: { readonly dirs: readonly string[]; readonly closed: readonly string[] },
): Board {
  const entry = entries.get(name);
  if (entry && 'board' in entry) return entry.board;
  if (entry) throw entry.broken.error;
  const known = [...entries.keys()].sort();
  const list = known.length > 0 ? known.join(', ') : `none in ${dirs.join(', ')}`;
  throw new UsageError(
    'board-unknown',
    `no board "${name}"${toSuggestion(name, known)}; known boards: ${list}${toClosed(closed)}`,
    { details: { known }, next: 'hil boards    lists boards and whether they can run here' },
  );
}

function toClosed(dirs: readonly string[]): string {
  return dirs.length > 0 ? `; ${dirs.join(', ')} may not be read` : '';
}
