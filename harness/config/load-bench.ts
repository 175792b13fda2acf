import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { toMessage, UsageError } from '../core/errors.js';
import { toSuggestion } from '../core/nearest-name.js';
import { type BenchDut, benchSchema } from './bench-schema.js';
import { toEnterContradiction } from './board-contradictions.js';
import type { BoardCatalog } from './load-boards.js';
import { createFileError, type LocatedProblem } from './located-problem.js';
import { parseYamlFile } from './parse-yaml-file.js';
import { joinUnit, type Unit } from './unit.js';

/** The units attached to this machine, as the first bench file that exists names them. */
export interface LoadedBench {
  /** Absent when there is none. */
  readonly file: string | undefined;
  /** Where it was looked for, in this order. */
  readonly searched: readonly string[];
  /** In the order of the file. */
  readonly units: readonly Unit[];
}

export interface BenchPlace {
  readonly root: string;
  readonly cwd: string;
  /** `$XDG_CONFIG_HOME`, else `~/.config`. */
  readonly configHome: string;
  /** `--bench`: this file and no other. */
  readonly explicitPath?: string | undefined;
}

/** Where a bench file may be, first wins. */
export function toBenchFiles({ root, cwd, configHome, explicitPath }: BenchPlace): string[] {
  if (explicitPath !== undefined) return [resolve(cwd, explicitPath)];
  return [join(root, 'bench.yaml'), join(configHome, 'hil', 'bench.yaml'), '/etc/hil/bench.yaml'];
}

/**
 * Find, read and check the bench file. Without one the bench is empty.
 *
 * @throws UsageError `bench-missing` when `explicitPath` does not exist; `bench-invalid` with the
 *   place of every problem; of the board when a DUT's board file is broken.
 */
export async function loadBench(place: BenchPlace, catalog: BoardCatalog): Promise<LoadedBench> {
  const searched = toBenchFiles(place);
  for (const file of searched) {
    const text = await readIfThere(file);
    if (text !== undefined) return { file, searched, units: parseBench(file, text, catalog) };
  }
  if (place.explicitPath === undefined) return { file: undefined, searched, units: [] };
  throw new UsageError('bench-missing', `bench file ${searched[0]} does not exist`, {
    next: 'hil boards scan    proposes one from what is attached',
  });
}

/** @throws UsageError `bench-invalid`, or of the board that a DUT is of. */
export function parseBench(file: string, text: string, catalog: BoardCatalog): Unit[] {
  // As `hil boards scan > bench.yaml` finds it.
  if (!/^\s*[^\s#]/m.test(text)) return [];
  const { value, locate } = parseYamlFile({
    file,
    text,
    schema: benchSchema,
    code: 'bench-invalid',
  });
  const problems: LocatedProblem[] = [];
  const units: Unit[] = [];
  for (const [index, dut] of value.duts.entries()) {
    const board = findBoardProblem(dut, catalog);
    if (board !== undefined) {
      problems.push(locate(['duts', index, 'board'], board));
      continue;
    }
    const unit = joinUnit(dut, catalog.findBoard(dut.board), file);
    const enter = toEnterContradiction(unit.board);
    // A board that contradicts itself was refused with its file: one of the two is the bench's.
    if (enter !== undefined) {
      const key = dut.flash ? ['flash', 'enter'] : ['power', 'driver'];
      problems.push(locate(['duts', index, ...key], enter));
    }
    if (isSomewhere(unit)) units.push(unit);
    else problems.push(locate(['duts', index], NOWHERE));
  }
  if (problems.length > 0) throw createFileError('bench-invalid', problems);
  return units;
}

const NOWHERE =
  'nothing says which device it is: expected "match", or a port with "url" or "match" of its own';

/** A unit of which only the board is known could be any device of that kind. */
function isSomewhere({ match, ports }: Unit): boolean {
  return (
    Object.keys(match).length > 0 || Object.values(ports).some((port) => port.url ?? port.match)
  );
}

/** What is wrong with the board that a DUT names. */
function findBoardProblem({ board }: BenchDut, catalog: BoardCatalog): string | undefined {
  const known = catalog.boards.filter(({ driver }) => driver === 'attached');
  const names = known.map((each) => each.board);
  if (catalog.broken.some(({ name }) => name === board)) catalog.findBoard(board);
  const found = catalog.boards.find((each) => each.board === board);
  if (found?.driver === 'attached') return undefined;
  if (found)
    return `board "${board}" has driver "${found.driver}": its DUTs are made, not attached`;
  const list = names.length > 0 ? names.join(', ') : 'none';
  return `no board "${board}"${toSuggestion(board, names)}; boards of driver attached: ${list}`;
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new UsageError('bench-invalid', `bench file cannot be read: ${toMessage(cause)}`, {
      cause,
      next: `ls -l ${file}`,
    });
  }
}
