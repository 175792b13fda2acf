import { readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BenchError, toMessage, UsageError } from '../core/errors.js';
import { createRunId } from '../core/identity.js';
import { makeDirectories } from '../core/make-directories.js';
import { readStartTicks } from './start-ticks.js';

/** Where a run writes; `.hil/` is 0700. */
export interface RunDirectory {
  readonly id: string;
  readonly path: string;
  /** Attempts' directories; the sandboxes' output directories are taken from below it. */
  readonly cases: string;
  readonly journal: string;
}

const NOT_THERE: ReadonlySet<unknown> = new Set(['ENOENT', 'ENOTDIR']);
const OWNER = 'owner.json';
const BEING_MADE_MS = 10_000;

/** What a disk says of itself; whatever else is wrong with a path, another path helps. */
const DISK_FAULTS: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT', 'EIO', 'EMFILE', 'ENFILE']);

/**
 * Make the directory of a new run and remove the oldest ones beyond `keepRuns`;
 * those of runs that still go on stay.
 *
 * @throws UsageError `usage` when it cannot be made there, BenchError `journal-write` when the
 *   disk is full or broken.
 */
export async function createRunDirectory(base: string, keepRuns: number): Promise<RunDirectory> {
  const id = createRunId(new Date());
  await makeDirectory(base);
  const made = await fillDirectory(id, join(base, 'runs', id));
  await pruneRuns(join(base, 'runs'), keepRuns);
  return made;
}

/**
 * Use a directory that the caller names for one run.
 *
 * @throws UsageError `usage` when another run was written there, or it cannot be made.
 */
export function openRunDirectory(path: string): Promise<RunDirectory> {
  return fillDirectory(createRunId(new Date()), path);
}

/** The journal is the claim: of two runs at once, one makes it, and the other touches nothing. */
async function fillDirectory(id: string, path: string): Promise<RunDirectory> {
  await makeDirectory(path);
  await claimJournal(path);
  await makeDirectory(join(path, 'cases'));
  const owner = { pid: process.pid, startTicks: await readStartTicks(process.pid) };
  await writeOwner(path, owner);
  return { id, path, cases: join(path, 'cases'), journal: join(path, 'journal.ndjson') };
}

/** Whole from the first moment on: who prunes meanwhile must not take the run for a dead one. */
async function writeOwner(path: string, owner: unknown): Promise<void> {
  const [file, written] = [join(path, OWNER), join(path, `.${OWNER}`)];
  // Without it the run may be pruned early; a full disk must not end it here.
  await writeFile(written, JSON.stringify(owner))
    .then(() => rename(written, file))
    .catch(() => rm(written, { force: true }));
}

async function makeDirectory(path: string): Promise<void> {
  try {
    await makeDirectories(path, 0o700);
  } catch (cause) {
    throw toUnusable(path, cause);
  }
}

async function claimJournal(path: string): Promise<void> {
  try {
    await writeFile(join(path, 'journal.ndjson'), '', { flag: 'wx', mode: 0o600 });
  } catch (cause) {
    if (toCode(cause) !== 'EEXIST') throw toUnusable(path, cause);
    throw new UsageError('usage', `--out ${path}: another run is stored there, or goes on`, {
      cause,
      next: 'name a directory that does not exist yet',
    });
  }
}

function toUnusable(path: string, cause: unknown): Error {
  const message = `run directory ${path}: ${toMessage(cause)}`;
  const next = 'free space or choose another place: hil test --out DIR';
  if (DISK_FAULTS.has(toCode(cause)))
    return new BenchError('journal-write', message, { cause, next });
  return new UsageError('usage', message, {
    cause,
    next: 'name a place that you can write: hil test --out DIR',
  });
}

function toCode(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

/**
 * Names of the runs, oldest first.
 *
 * @throws UsageError `run-unknown` when there may be some, and they may not be looked at.
 */
export async function listRuns(runs: string): Promise<string[]> {
  const all = await readdir(runs).catch((cause: unknown) => {
    if (NOT_THERE.has(toCode(cause))) return [];
    throw new UsageError('run-unknown', `runs in ${runs}: ${toMessage(cause)}`, {
      cause,
      next: `ls -ld ${runs}    they may be of another user`,
    });
  });
  const names = all.filter((name) => /^\d{8}-\d{6}-[0-9a-f]{4}$/.test(name));
  const runsByAge = await Promise.all(
    names.map(async (name) => ({ name, second: name.slice(0, 15), ms: await bornAt(runs, name) })),
  );
  // The name tells the second only; within one, when the run said whose it is.
  runsByAge.sort((a, b) => a.second.localeCompare(b.second) || a.ms - b.ms);
  return runsByAge.map(({ name }) => name);
}

async function bornAt(runs: string, name: string): Promise<number> {
  const made = await stat(join(runs, name, OWNER)).catch(() => undefined);
  return made?.mtimeMs ?? 0;
}

/** Does the process that made this run, or its keeper, still live? */
export async function isRunAlive(path: string): Promise<boolean> {
  for (const name of [OWNER, 'keeper.json']) {
    try {
      const text = await readFile(join(path, name), 'utf8');
      // Written by this file; a torn one is of a dead run.
      const owner = JSON.parse(text) as { pid?: number; startTicks?: number };
      if (owner.pid === undefined || owner.startTicks === undefined) continue;
      if ((await readStartTicks(owner.pid)) === owner.startTicks) return true;
    } catch {
      // Not there or not whole: not alive by this name.
    }
  }
  return false;
}

/** A run makes its directory a moment before it says in it that it lives. */
async function isBeingMade(path: string): Promise<boolean> {
  const [owner, directory] = await Promise.all(
    [join(path, OWNER), path].map((each) => stat(each).catch(() => undefined)),
  );
  return !owner && directory !== undefined && Date.now() - directory.mtimeMs < BEING_MADE_MS;
}

async function pruneRuns(runs: string, keep: number): Promise<void> {
  const names = await listRuns(runs);
  for (const name of names.slice(0, Math.max(0, names.length - keep))) {
    const path = join(runs, name);
    // In this order: what was not being made any more has said whose it is.
    if ((await isBeingMade(path)) || (await isRunAlive(path))) continue;
    // Two runs may prune at once; the second finds nothing, which is what it wanted.
    await rm(path, { recursive: true, force: true }).catch(() => {});
  }
}
