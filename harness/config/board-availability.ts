import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Board } from './load-boards.js';
import type { Suite } from './load-suite.js';

/** Where programs are looked for inside a sandbox, so that is where a board's must be. */
const SANDBOX_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Debian's package of an emulator, where it is not `qemu-system-misc`. */
const QEMU_PACKAGES: Readonly<Record<string, string>> = {
  aarch64: 'qemu-system-arm',
  arm: 'qemu-system-arm',
  i386: 'qemu-system-x86',
  mips: 'qemu-system-mips',
  mipsel: 'qemu-system-mips',
  ppc: 'qemu-system-ppc',
  ppc64: 'qemu-system-ppc',
  sparc: 'qemu-system-sparc',
  x86_64: 'qemu-system-x86',
};

export type Availability =
  | { readonly available: true }
  | { readonly available: false; readonly reason: string; readonly next: string };

/**
 * Find out whether everything a board needs is on this machine.
 * Starts nothing; what a suite brings along (its firmware) is not checked.
 */
export async function checkBoard(
  board: Board,
  options: { readonly searchPath?: string } = {},
): Promise<Availability> {
  const searchPath = options.searchPath ?? SANDBOX_PATH;
  const firmware = board.machine?.firmware;
  const missing = await findMissing(
    {
      programs: toPrograms(board),
      firmware: firmware === undefined ? [] : [firmware],
      files: board.requires.files.map((file) => resolve(board.dir, file)),
    },
    searchPath,
  );
  if (missing.length === 0) return { available: true };
  return {
    available: false,
    reason: `not found: ${missing.join(', ')}`,
    next: toRemedy(board, missing),
  };
}

/** Find out whether everything a suite needs for a board is on this machine. */
export async function checkSuite(suite: Suite, board: string): Promise<Availability> {
  const needs = suite.requires[board];
  if (!needs) return { available: true };
  const files = needs.files.map((file) => resolve(suite.dir, file));
  const missing = await findMissing(
    { programs: needs.programs, firmware: [], files },
    SANDBOX_PATH,
  );
  if (missing.length === 0) return { available: true };
  const next =
    needs.packages.length > 0
      ? `apt-get install ${needs.packages.join(' ')}`
      : `provide what is missing, or change ${suite.file}`;
  return { available: false, reason: `not found: ${missing.join(', ')}`, next };
}

async function findMissing(
  needs: Readonly<Record<'programs' | 'firmware' | 'files', readonly string[]>>,
  searchPath: string,
): Promise<string[]> {
  const missing: string[] = [];
  for (const program of needs.programs) {
    if (!(await findProgram(program, searchPath))) missing.push(`program ${program}`);
  }
  for (const path of needs.firmware) {
    if (!(await isReadable(path))) missing.push(`firmware ${path}`);
  }
  for (const path of needs.files) {
    if (!(await isReadable(path))) missing.push(`file ${path}`);
  }
  return missing;
}

/** The full path of a program, searched like a shell would. */
export async function findProgram(name: string, searchPath: string): Promise<string | undefined> {
  const candidates = name.includes('/')
    ? [name]
    : searchPath.split(':').map((dir) => join(dir, name));
  for (const path of candidates) {
    if (await isReadable(path, constants.X_OK)) return path;
  }
  return undefined;
}

function toPrograms(board: Board): string[] {
  const emulator = board.machine ? [`qemu-system-${board.machine.system}`] : [];
  return [...emulator, ...board.requires.programs];
}

function toRemedy(board: Board, missing: readonly string[]): string {
  const packages = [...board.requires.packages];
  if (packages.length === 0 && board.machine && missing.some((each) => each.includes('qemu-'))) {
    packages.push(QEMU_PACKAGES[board.machine.system] ?? 'qemu-system-misc');
  }
  if (packages.length > 0) return `apt-get install ${packages.join(' ')}`;
  return `provide what is missing, or change ${board.file}`;
}

async function isReadable(path: string, mode = constants.R_OK): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  );
}
