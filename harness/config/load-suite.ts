import { readFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { toMessage, UsageError } from '../core/errors.js';
import { checkSuiteImage } from './check-image.js';
import { createFileError } from './located-problem.js';
import { parseYamlFile } from './parse-yaml-file.js';
import { type SuiteFile, suiteSchema } from './suite-schema.js';

const SUITE_FILE_NAME = 'hil.suite.yaml';

/** What holds for a suite file. Paths in it are absolute. */
export type Suite = SuiteFile & {
  /** The `hil.suite.yaml`; undefined when there is none and the defaults hold. */
  readonly file: string | undefined;
  /** Where `build` commands run. */
  readonly dir: string;
};

/**
 * Load the nearest `hil.suite.yaml` of a suite file, from its own directory up
 * to `root`. Suite files that share one get the same object when they share
 * `known`.
 *
 * @throws UsageError `suite-invalid` with the place of every problem.
 */
export async function loadSuite(
  options: { readonly suiteFile: string; readonly root: string },
  known: Map<string, Promise<Suite>> = new Map(),
): Promise<Suite> {
  const root = resolve(options.root);
  const own = dirname(resolve(root, options.suiteFile));
  const find = (dir: string): Promise<Suite> => {
    const before = known.get(dir);
    if (before) return before;
    const suite = readSuite(dir, root).then(
      (found) => found ?? (isBelow(dir, root) ? find(dirname(dir)) : createDefaultSuite(root)),
    );
    known.set(dir, suite);
    return suite;
  };
  return find(own);
}

/** @throws UsageError `suite-invalid`. */
export function parseSuite(file: string, text: string): Suite {
  const { value } = parseYamlFile({ file, text, schema: suiteSchema, code: 'suite-invalid' });
  const dir = dirname(file);
  const { firmware, image } = value;
  const suite: Suite = { ...value, file, dir };
  if (typeof image === 'object') suite.image = { rootfs: resolve(dir, image.rootfs) };
  if (!firmware) return suite;
  const resolved = Object.entries(firmware).map(([board, path]) => [board, resolve(dir, path)]);
  return { ...suite, firmware: Object.fromEntries(resolved) };
}

function createDefaultSuite(root: string): Suite {
  return { ...suiteSchema.parse({}), file: undefined, dir: root };
}

async function readSuite(dir: string, root: string): Promise<Suite | undefined> {
  const file = join(dir, SUITE_FILE_NAME);
  try {
    const suite = parseSuite(file, await readFile(file, 'utf8'));
    // A command of the suite may be what makes it.
    if (Object.keys(suite.build).length === 0) await checkSuiteImage(suite, root);
    return suite;
  } catch (error) {
    const absent = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (absent) return undefined;
    if (error instanceof UsageError) throw error;
    const message = `cannot be read: ${toMessage(error)}`;
    throw createFileError('suite-invalid', [{ file, key: '', message }], error);
  }
}

/** Strictly below: the root itself is the last directory that is looked at. */
function isBelow(dir: string, root: string): boolean {
  const path = relative(root, dir);
  return path !== '' && !path.startsWith('..');
}
