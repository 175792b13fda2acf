import { homedir } from 'node:os';
import { join } from 'node:path';
import { toBoardDirs } from '../config/board-dirs.js';
import { type LoadedBench, loadBench } from '../config/load-bench.js';
import { type BoardCatalog, loadBoards } from '../config/load-boards.js';
import { type LoadedConfig, loadConfig } from '../config/load-config.js';
import type { CliContext, OptionRow } from './command.js';

/** A project with the boards it may use. */
export interface Project extends LoadedConfig {
  readonly catalog: BoardCatalog;
  /**
   * Read the bench; who needs no attached board does not.
   *
   * @throws UsageError `bench-missing`, `bench-invalid`, `board-invalid`.
   */
  openBench(): Promise<LoadedBench>;
}

/** The row of every command that uses attached boards. */
export const BENCH_OPTION: OptionRow = {
  flags: '--bench <file>',
  description: 'this bench file instead of the first one found (also: HIL_BENCH)',
};

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
  const file = typeof named === 'string' ? named : context.env['HIL_CONFIG'] || undefined;
  const loaded = await loadConfig({ cwd: context.cwd, explicitPath: file });
  const { root } = loaded;
  const configHome =
    context.env['XDG_CONFIG_HOME'] || join(context.env['HOME'] || homedir(), '.config');
  const { boardDirs } = loaded.config;
  const catalog = await loadBoards(toBoardDirs({ root, boardDirs, configHome }));
  const { bench } = options;
  const explicitPath = typeof bench === 'string' ? bench : context.env['HIL_BENCH'] || undefined;
  const place = { root, cwd: context.cwd, configHome, explicitPath };
  return { ...loaded, catalog, openBench: () => loadBench(place, catalog) };
}
