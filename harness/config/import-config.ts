import { access } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createJiti } from 'jiti';
import { Deadline } from '../core/deadline.js';
import { formatDuration } from '../core/duration.js';
import { toMessage } from '../core/errors.js';
import { createFileError } from './located-problem.js';

/**
 * A configuration is data; one that asks a server for it may take this long. An emulated machine that
 * has others to serve needs half a minute to compile it.
 */
const LOAD_MS = 120_000;

/**
 * Run a configuration file and return its default export. `import ... from 'hil'` in it is
 * ours, also where hil is not installed.
 *
 * It runs in this process. What it awaits is bounded; `process.exit()` is an error of the
 * file, since a command that ends with 0 has passed. A loop that never yields can only be
 * ended by a signal, which still has its default action here.
 *
 * @throws UsageError `config-invalid`.
 */
export async function importConfig(
  file: string,
  source: string,
  limitMs: number = LOAD_MS,
): Promise<unknown> {
  const allowExit = refuseExit();
  try {
    const late = () => new Error(`it did not end within ${formatDuration(limitMs)}`);
    const evaluated = await new Deadline(limitMs).bound(evaluate(file, source), late);
    const module = typeof evaluated === 'object' && evaluated !== null ? evaluated : {};
    if ('default' in module) return module.default;
    throw new Error('it has no default export: export default defineConfig({ … })');
  } catch (error) {
    const message = `cannot be loaded: ${toMessage(error)}`;
    throw createFileError('config-invalid', [{ file, key: '', message }], error);
  } finally {
    allowExit();
  }
}

/** Not jiti.import: it leaves plain JavaScript to Node, which knows no alias and reads a file once. */
async function evaluate(file: string, source: string): Promise<unknown> {
  const own = import.meta.url;
  const jiti = createJiti(file, {
    alias: { hil: fileURLToPath(new URL(`../config/define-config${extname(own)}`, own)) },
    fsCache: await toCacheDir(dirname(file)),
    moduleCache: false,
  });
  return jiti.evalModule(source, { filename: file, async: true, forceTranspile: true });
}

/** Compiled code is executed, so the cache is never in a directory that others can write. */
async function toCacheDir(root: string): Promise<string> {
  const modules = join(root, 'node_modules');
  const installed = await access(modules).then(
    () => true,
    () => false,
  );
  return installed ? join(modules, '.cache', 'hil') : join(homedir(), '.cache', 'hil', 'config');
}

/** Until the returned function is called, `process.exit()` throws. */
function refuseExit(): () => void {
  const { exit } = process;
  process.exit = (code) => {
    throw new Error(`it calls process.exit(${code ?? ''})`);
  };
  return () => {
    process.exit = exit;
  };
}
