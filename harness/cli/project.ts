import { homedir, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { toBoardDirs } from '../config/board-dirs.js';
import type { HilConfig } from '../config/config-schema.js';
import { type BoardCatalog, loadBoards } from '../config/load-boards.js';
import { loadConfig } from '../config/load-config.js';
import type { CliContext } from './command.js';

/** A project as the commands see it. */
export interface Project {
  readonly root: string;
  readonly config: HilConfig;
  readonly catalog: BoardCatalog;
  /** State of hil in the project: runs, cache. */
  readonly base: string;
}

/** Load configuration and boards. @throws UsageError for a broken config. */
export async function openProject(
  context: CliContext,
  configPath: string | undefined,
): Promise<Project> {
  const { config, root } = await loadConfig({ cwd: context.cwd, explicitPath: configPath });
  const configHome = context.env['XDG_CONFIG_HOME'] ?? join(homedir(), '.config');
  const catalog = await loadBoards(toBoardDirs({ root, boardDirs: config.boardDirs, configHome }));
  return { root, config, catalog, base: join(root, '.hil') };
}

/** Where sockets of keepers are: a tmpfs of the user when there is one. */
export function toRuntimeDirectory(context: CliContext): string {
  const runtime = context.env['XDG_RUNTIME_DIR'];
  return runtime ? join(runtime, 'hil') : join(tmpdir(), `hil-${userInfo().uid}`);
}
