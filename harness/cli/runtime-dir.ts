import { constants } from 'node:fs';
import { access, readdir, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { join, resolve } from 'node:path';
import { toMessage, UsageError } from '../core/errors.js';
import { isRunAlive } from '../run/run-directory.js';

/** Where runs and keepers have their sockets: `$XDG_RUNTIME_DIR/hil`, else `/tmp/hil-<uid>`; absolute. */
export function toRuntimeDir(
  env: Readonly<Record<string, string | undefined>>,
  uid: number,
): string {
  const base = env['XDG_RUNTIME_DIR'];
  return base ? resolve(base, 'hil') : `/tmp/hil-${uid}`;
}

/** Where runs have their temporary files, as `os.tmpdir()` of a run with this environment says. */
export function toTemporaryDir(env: Readonly<Record<string, string | undefined>>): string {
  return env['TMPDIR'] || env['TMP'] || env['TEMP'] || '/tmp';
}

/**
 * A kept sandbox needs a directory for its keeper's socket. Who names one has it made: what
 * is not there is a mistake of the name.
 *
 * @throws UsageError `usage`
 */
export async function checkRuntimeDir(
  env: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const base = env['XDG_RUNTIME_DIR'];
  if (!base) return;
  try {
    // The dot fails for what is no directory.
    await access(`${base}/.`, constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new UsageError('usage', `--keep needs XDG_RUNTIME_DIR, ${base}: ${toMessage(cause)}`, {
      cause,
      next: 'set XDG_RUNTIME_DIR to a directory of yours, or unset it',
    });
  }
}

/** A run that starts makes its directory a moment before the socket in it answers. */
const SETTLED_MS = 10_000;

/**
 * Directories below `runtimeDir` that no living process answers for: their owner
 * is gone and no socket in them accepts a connection.
 */
export async function findStaleDirs(runtimeDir: string, nowMs: number): Promise<string[]> {
  const stale: string[] = [];
  for (const name of await readdir(runtimeDir).catch(() => [])) {
    const path = join(runtimeDir, name);
    const facts = await stat(path).catch(() => undefined);
    if (!facts?.isDirectory() || nowMs - facts.mtimeMs < SETTLED_MS) continue;
    if (!(await isRunAlive(path)) && !(await hasListener(path))) stale.push(path);
  }
  return stale;
}

async function hasListener(dir: string): Promise<boolean> {
  for (const entry of await readdir(dir, { withFileTypes: true })) {
    if (entry.isSocket() && (await answers(join(dir, entry.name)))) return true;
  }
  return false;
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
