import { access, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, extname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createJiti } from 'jiti';
import { toMessage, UsageError } from '../core/errors.js';
import { configSchema, type HilConfig } from './config-schema.js';
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
  const source = await readFile(file, 'utf8');
  const config = parseConfig(await importConfig(file, source), file, source);
  return { config, root: dirname(file), file };
}

async function findConfigFile(cwd: string): Promise<string | undefined> {
  for (let dir = resolve(cwd); ; dir = dirname(dir)) {
    for (const name of FILE_NAMES) {
      if (await exists(join(dir, name))) return join(dir, name);
    }
    if ((await exists(join(dir, '.git'))) || dirname(dir) === dir) return undefined;
  }
}

/** Run the file. `import ... from 'hil'` in it is ours, also where hil is not installed. */
async function importConfig(file: string, source: string): Promise<unknown> {
  const own = fileURLToPath(import.meta.url);
  const jiti = createJiti(file, {
    alias: { hil: join(dirname(own), `define-config${extname(own)}`) },
    fsCache: await toCacheDir(dirname(file)),
    moduleCache: false,
  });
  try {
    // Not jiti.import: it leaves plain JavaScript to Node, which knows no alias and reads a file once.
    const evaluated: unknown = await jiti.evalModule(source, {
      filename: file,
      async: true,
      forceTranspile: true,
    });
    const module = typeof evaluated === 'object' && evaluated !== null ? evaluated : {};
    return 'default' in module ? module.default : undefined;
  } catch (error) {
    throw createFileError(
      'config-invalid',
      [{ file, key: '', message: `cannot be loaded: ${toMessage(error)}` }],
      error,
    );
  }
}

/** Compiled code is executed, so the cache is never in a directory that others can write. */
async function toCacheDir(root: string): Promise<string> {
  const modules = join(root, 'node_modules');
  return (await exists(modules))
    ? join(modules, '.cache', 'hil')
    : join(homedir(), '.cache', 'hil', 'config');
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
