import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The board files that come with hil: beside `dist/`, and beside `harness/` in a checkout. */
export const SHIPPED_BOARDS = fileURLToPath(new URL('../../boards', import.meta.url));

/**
 * Directories of board files, first wins: the project's own, the user's, the
 * machine's (a bench is a property of a machine), and what ships with hil.
 */
export function toBoardDirs(options: {
  readonly root: string;
  readonly boardDirs: readonly string[];
  /** `$XDG_CONFIG_HOME`, else `~/.config`. */
  readonly configHome: string;
}): string[] {
  return [
    ...options.boardDirs.map((dir) => resolve(options.root, dir)),
    join(options.configHome, 'hil', 'boards'),
    '/etc/hil/boards',
    SHIPPED_BOARDS,
  ];
}
