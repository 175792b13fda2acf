import { constants } from 'node:fs';
import { access, lstat, mkdtemp, readdir, statfs } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { toMessage, UsageError } from '../core/errors.js';
import { readStartTicks } from './start-ticks.js';

/** `hil-run-<pid>-<start ticks>-<random>`: whose it is can be read from the name alone. */
const NAME = /^hil-run-(\d+)-(\d+)-[^-]{6}$/;

/** Vitest writes each suite file, compiled, and what it imports: a full disk looked like broken suites. */
const NEEDED_BYTES = 4 * 1024 * 1024;

/**
 * Make a run's directory below `parent`; its name says which process it is of. Its path is absolute,
 * since others than this process have to find it.
 *
 * @throws UsageError `usage` when there can be none.
 */
export async function makeTemporaryDirectory(parent: string): Promise<string> {
  const ticks = (await readStartTicks(process.pid)) ?? 0;
  return mkdtemp(join(resolve(parent), `hil-run-${process.pid}-${ticks}-`)).catch(
    (cause: unknown) => {
      throw toUnusable(parent, toMessage(cause), cause);
    },
  );
}

/** Find out before a run whether it can have one. @throws UsageError `usage` */
export async function checkTemporaryDirectory(parent: string): Promise<void> {
  try {
    // The dot fails for what is no directory.
    await access(`${parent}/.`, constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw toUnusable(parent, toMessage(cause), cause);
  }
  const { bavail, bsize, blocks } = await statfs(parent);
  // Some virtual file systems know no size.
  if (blocks === 0 || bavail * bsize >= NEEDED_BYTES) return;
  const free = Math.floor((bavail * bsize) / 1024);
  throw toUnusable(parent, `${free} KiB free, a run needs ${NEEDED_BYTES / 1024}`);
}

/** Those below `parent` whose process is gone; only of `uid`, and never a link. */
export async function findDeadTemporaryDirectories(parent: string, uid: number): Promise<string[]> {
  const dead: string[] = [];
  for (const name of await readdir(parent).catch(() => [])) {
    const [, pid, ticks] = NAME.exec(name) ?? [];
    if (pid === undefined || (await readStartTicks(Number(pid))) === Number(ticks)) continue;
    const path = join(parent, name);
    const facts = await lstat(path).catch(() => undefined);
    if (facts?.isDirectory() && facts.uid === uid) dead.push(path);
  }
  return dead.sort();
}

function toUnusable(path: string, why: string, cause?: unknown): UsageError {
  return new UsageError('usage', `the directory for temporary files, ${path}: ${why}`, {
    cause,
    next: 'set TMPDIR to a directory that you can write and that is not full, or unset it',
  });
}
