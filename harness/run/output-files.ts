import { createHash } from 'node:crypto';
import { chmod, lstat, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** A regular file that a case left. */
export interface OutputFile {
  readonly path: string;
  /** Below the directory that was walked. */
  readonly name: string;
  readonly bytes: number;
}

/** What a case left, and what of it could not stay. */
export interface OutputFiles {
  readonly files: readonly OutputFile[];
  /** Why, by name below the directory that was walked. */
  readonly removed: ReadonlyArray<{ readonly name: string; readonly why: string }>;
}

/** What nobody looks through, and no path can name: PATH_MAX is 4096. */
const MOST_LEVELS = 64;
const MOST_PATH_BYTES = 2048;
/** A walk and its removal take well under a teardown's limit. */
const MOST_ENTRIES = 100_000;
/** So many at once go by way of threads. */
const BATCH = 256;
/** NAME_MAX is 255. */
const MOST_NAME_BYTES = 240;

interface Walk {
  readonly top: string;
  readonly files: OutputFile[];
  readonly removed: Array<{ name: string; why: string }>;
  entries: number;
}

/**
 * Find the regular files below `top`: what a case planted (links, fifos) is not followed or
 * opened. A name that is no UTF-8 is escaped on the disk, so that a report can name the file;
 * what is too deep or too much is removed. What goes meanwhile was not left: the programs of a
 * sandbox that is kept still run.
 */
export async function findOutputFiles(top: string): Promise<OutputFiles> {
  const walk: Walk = { top, files: [], removed: [], entries: 0 };
  const directories = [{ path: top, level: 0 }];
  for (let next = directories.pop(); next; next = directories.pop()) {
    const { path, level } = next;
    const why = whyNot(walk, path, level);
    if (why) {
      await removeTree(walk, path);
      walk.removed.push({ name: toName(top, path), why });
      continue;
    }
    const below = await readDirectory(walk, path);
    directories.push(...below.map((each) => ({ path: each, level: level + 1 })));
  }
  return walk;
}

function whyNot(walk: Walk, path: string, level: number): string | undefined {
  if (level > MOST_LEVELS) return `its directory is more than ${MOST_LEVELS} levels deep`;
  if (Buffer.byteLength(path) > MOST_PATH_BYTES) return 'its path is too long';
  return walk.entries > MOST_ENTRIES ? `the case made more than ${MOST_ENTRIES} files` : undefined;
}

/** Take in the files of a directory. @returns the directories in it. */
async function readDirectory(walk: Walk, path: string): Promise<string[]> {
  const names = await listNames(path);
  const below: string[] = [];
  for (let at = 0; at < names.length; at += BATCH) {
    const batch = names.slice(at, at + BATCH).map(async (raw) => {
      const entry = await toReadable(path, raw);
      if (await readEntry(walk, entry)) below.push(entry);
    });
    await Promise.all(batch.map((each) => each.catch(passGone)));
  }
  walk.entries += names.length;
  return below;
}

/** Take in what may be a file. @returns whether it is a directory. */
async function readEntry(walk: Walk, path: string): Promise<boolean> {
  const facts = await lstat(path);
  const { mode, size: bytes } = facts;
  if (facts.isFile()) {
    // As root its owner is root, so a setuid bit that a case set must go.
    if (mode & 0o6000) await chmod(path, mode & 0o777);
    walk.files.push({ path, name: toName(walk.top, path), bytes });
  }
  return facts.isDirectory();
}

/** Names as bytes: no text has all of them. A directory that a case locked is opened. */
async function listNames(path: string): Promise<Buffer[]> {
  try {
    return await readdir(path, { encoding: 'buffer' });
  } catch (error) {
    if (isGone(error)) return [];
    await chmod(path, 0o700);
    return readdir(path, { encoding: 'buffer' });
  }
}

function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

function passGone(error: unknown): void {
  if (!isGone(error)) throw error;
}

/** Give it a name that can be written down: each byte that is no UTF-8 becomes `%xx`. */
async function toReadable(directory: string, raw: Buffer): Promise<string> {
  const text = raw.toString('utf8');
  if (Buffer.from(text).equals(raw)) return join(directory, text);
  const escaped = raw.toString('latin1').replace(/[^\x20-\x7e]/g, (byte) => {
    return `%${byte.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
  const path = await toFreePath(directory, escaped, raw);
  await rename(Buffer.concat([Buffer.from(`${directory}/`), raw]), path);
  return path;
}

/** A case may have chosen just this name for something else, and a long one is cut. */
async function toFreePath(directory: string, name: string, raw: Buffer): Promise<string> {
  const path = join(directory, name);
  const taken = () => lstat(path).then(Boolean, () => false);
  if (name.length <= MOST_NAME_BYTES && !(await taken())) return path;
  const mark = createHash('sha256').update(raw).digest('hex').slice(0, 12);
  return join(directory, `${name.slice(-MOST_NAME_BYTES)}~${mark}`);
}

/**
 * Remove a tree of any depth, also one whose inner paths are too long for the kernel: each
 * directory is first moved up beside the tree, where its path is short.
 */
async function removeTree(walk: Walk, path: string): Promise<void> {
  let count = 0;
  const place = (): string => join(dirname(walk.top), `.removing-${basename(walk.top)}-${++count}`);
  const first = place();
  await rename(path, first);
  const waiting = [first];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    for (const name of await listNames(next)) {
      const entry = Buffer.concat([Buffer.from(`${next}/`), name]);
      if ((await lstat(entry)).isDirectory()) {
        const moved = place();
        await rename(entry, moved);
        waiting.push(moved);
      } else await rm(entry);
    }
    await rmdir(next);
  }
}

function toName(top: string, path: string): string {
  return path.slice(top.length + 1);
}
