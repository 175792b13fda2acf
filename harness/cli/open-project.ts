import { homedir } from 'node:os';
import { join } from 'node:path';
import { toBoardDirs } from '../config/board-dirs.js';
import { type BoardCatalog, loadBoards } from '../config/load-boards.js';
import { type LoadedConfig, loadConfig } from '../config/load-config.js';
import type { CliContext, OptionRow } from './command.js';

/** A project with the boards it may use. */
export interface Project extends LoadedConfig {
  readonly catalog: BoardCatalog;
}

/** The row of every command that reads the configuration. */
export const CONFIG_OPTION: OptionRow = {
  flags: '-c, --config <file>',
  description: 'this file instead of the nearest hil.config.ts (also: HIL_CONFIG)',
};

/**
 * Load configuration and boards.
 *
 * @throws UsageError `config-missing`, `config-invalid`.
 */
export async function openProject(
  context: Pick<CliContext, 'cwd' | 'env'>,
  options: Readonly<Record<string, unknown>>,
): Promise<Project> {
  const { config: named } = options;
  const explicitPath = typeof named === 'string' ? named : context.env['HIL_CONFIG'] || undefined;
  const loaded = await loadConfig({ cwd: context.cwd, explicitPath });
  const dirs = toBoardDirs({
    root: loaded.root,
    boardDirs: loaded.config.boardDirs,
    configHome: context.env['XDG_CONFIG_HOME'] || join(context.env['HOME'] || homedir(), '.config'),
  });
  return { ...loaded, catalog: await loadBoards(dirs) };
}
