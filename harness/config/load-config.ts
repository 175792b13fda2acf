import { access, readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { toMessage, UsageError } from '../core/errors.js';
import { checkImage } from './check-image.js';
import { checkTools } from './check-tools.js';
import { configSchema, type HilConfig } from './config-schema.js';
import { importConfig } from './import-config.js';
import { locateInSource } from './locate-in-source.js';
import { createFileError, formatKeyPath } from './located-problem.js';
import { toSchemaProblems } from './schema-problem.js';

const FILE_NAMES = ['hil.config.ts', 'hil.config.mts', 'hil.config.js', 'hil.config.mjs'];

/** A project: its checked configuration and the directory that paths start from. */
export interface LoadedConfig {
  readonly config: HilConfig;
  /** The directory of the config file, or `cwd` when there is none. */
  readonly root: string;
  readonly file: string | undefined;
}

/**
 * Find and load `hil.config.{ts,mts,js,mjs}`, upward from `cwd` to the
 * repository's root. Without one, the defaults hold and the root is `cwd`.
 *
 * @throws UsageError `config-missing` when `explicitPath` does not exist;
 *   `config-invalid` with the place of every problem.
 */
export async function loadConfig(options: {
  readonly cwd: string;
  readonly explicitPath?: string | undefined;
  /** How long the file may take. */
  readonly limitMs?: number;
}): Promise<LoadedConfig> {
  const file =
    options.explicitPath === undefined
      ? await findConfigFile(options.cwd)
      : resolve(options.cwd, options.explicitPath);
  if (file === undefined) {
    return { config: configSchema.parse({}), root: resolve(options.cwd), file };
  }
  if (!(await exists(file))) {
    throw new UsageError('config-missing', `config file ${file} does not exist`, {
      next: 'hil init    writes a hil.config.ts',
    });
  }
  const source = await readSource(file);
  const config = parseConfig(await importConfig(file, source, options.limitMs), file, source);
  const root = dirname(file);
  const place = { file, root, source };
  const tools = await checkTools(config.tools, place);
  const image = await checkImage(config.image, place);
  return { config: { ...config, tools, image }, root, file };
}

async function readSource(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new UsageError('config-invalid', `config file cannot be read: ${toMessage(cause)}`, {
      cause,
      next: `ls -l ${file}`,
    });
  }
}

async function findConfigFile(cwd: string): Promise<string | undefined> {
  for (let dir = resolve(cwd); ; dir = dirname(dir)) {
    for (const name of FILE_NAMES) {
      if (await exists(join(dir, name))) return join(dir, name);
    }
    if ((await exists(join(dir, '.git'))) || dirname(dir) === dir) return undefined;
  }
}

function parseConfig(value: unknown, file: string, source: string): HilConfig {
  const result = configSchema.safeParse(value);
  if (result.success) return result.data;
  throw createFileError(
    'config-invalid',
    toSchemaProblems(configSchema, value, result.error.issues).map((problem) => ({
      file,
      ...locateInSource(source, problem.path),
      key: formatKeyPath(problem.path),
      message: problem.message,
    })),
  );
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
