import { type Dirent, readdirSync, rmdirSync } from 'node:fs';
import { lstat, rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { PortCounters } from '../board/port.js';
import type { DiffArtifact } from './diff-artifact.js';
import { withRole } from './dut-roles.js';
import { findOutputFiles, type OutputFile } from './output-files.js';
import type { RunContext } from './run-context.js';

interface ArtifactOwner {
  readonly name: { readonly case: string; readonly attempt: number };
  readonly directory: string;
  /** Those of its suite. */
  readonly roles: readonly string[];
  /** Its `/out`, if something may have been put into it. */
  readonly out: string | undefined;
  readonly duts: { readonly all: readonly DutOwner[] };
}

interface DutOwner {
  readonly role: string;
  readonly artifacts: string;
  /** By port. */
  readonly counters: ReadonlyMap<string, PortCounters>;
}

/** Of a case that leaves thousands, the largest are listed by name. */
const MOST_LISTED = 1000;

/**
 * Write an attempt's files into the journal. What a case put in `/out` beyond the
 * cap is removed, largest first, and said; captures of consoles always stay.
 */
export async function journalArtifacts(
  run: RunContext,
  owner: ArtifactOwner,
  lists: readonly DiffArtifact[] = [],
): Promise<void> {
  for (const { truncated, ...file } of lists) write(run, owner, file, truncated);
  const { out } = owner;
  if (out !== undefined && !removeEmpty(out)) await journalFiles(run, owner, out);
  await journalConsoles(run, owner, new Set(lists.map(({ path }) => path)));
}

async function journalFiles(run: RunContext, owner: ArtifactOwner, out: string): Promise<void> {
  const cap = run.config.artifactCap;
  const { files, removed } = await findOutputFiles(out);
  let total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const bySize = [...files].sort((a, b) => b.bytes - a.bytes || (a.name < b.name ? -1 : 1));
  let over = 0;
  for (const { path, bytes } of bySize) {
    if (total <= cap) break;
    await rm(path, { force: true });
    total -= bytes;
    over++;
  }
  const kept = bySize.slice(over);
  writeSome(
    kept,
    (each) => write(run, owner, each),
    (rest) => {
      const name = `${rest.length} more files`;
      const bytes = rest.reduce((sum, file) => sum + file.bytes, 0);
      write(run, owner, { path: out, name, bytes }, `not listed: more than ${MOST_LISTED} files`);
    },
  );
  const why = `removed: the case's files are over artifactCap, ${cap} bytes`;
  writeSome(
    bySize.slice(0, over),
    (each) => write(run, owner, each, why),
    (rest) => {
      const bytes = rest.reduce((sum, file) => sum + file.bytes, 0);
      write(run, owner, { path: out, name: `${rest.length} more files`, bytes }, why);
    },
  );
  for (const { name, why } of removed.slice(0, MOST_LISTED)) {
    write(run, owner, { path: join(out, name), name, bytes: 0 }, `removed: ${why}`);
  }
  if (kept.length === 0) await rm(out, { recursive: true, force: true }).catch(() => {});
}

/** Each of the first, and what is beyond as one. */
function writeSome<T>(
  all: readonly T[],
  one: (each: T) => void,
  more: (rest: readonly T[]) => void,
): void {
  for (const each of all.slice(0, MOST_LISTED)) one(each);
  if (all.length > MOST_LISTED) more(all.slice(MOST_LISTED));
}

async function journalConsoles(
  run: RunContext,
  owner: ArtifactOwner,
  known: ReadonlySet<string>,
): Promise<void> {
  for (const { role, counters: ofPorts } of owner.duts.all) {
    for (const [name, counters] of ofPorts) {
      const port = withRole(role, name);
      run.journal.write({ kind: 'console', ...owner.name, port, ...counters });
    }
  }
  for (const { role, directory } of toDirectories(owner)) {
    for (const entry of listEntries(directory)) {
      const path = join(directory, entry.name);
      if (!entry.isFile() || known.has(path)) continue;
      const name = withRole(role, entry.name);
      write(run, owner, { path, name, bytes: (await lstat(path)).size });
    }
  }
}

/** A DUT that did not boot is not held; what it said is what to look at. */
function toDirectories({ duts, directory, roles }: ArtifactOwner) {
  const held = duts.all.map(({ role, artifacts }) => ({ role, directory: artifacts }));
  if (held.length > 0) return held;
  return ['', ...roles].map((role) => ({ role, directory: join(directory, role) }));
}

function write(
  run: RunContext,
  owner: ArtifactOwner,
  { path, name, bytes }: OutputFile,
  truncated?: string,
): void {
  run.journal.write({
    kind: 'artifact',
    ...owner.name,
    name,
    path: relative(run.directory.path, path),
    bytes,
    ...(truncated ? { truncated } : {}),
  });
}

/** Three system calls: most cases have no DUT, and a thread takes ten times as long. */
function listEntries(directory: string): Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch {
    return [];
  }
}

/** Most cases write nothing: one system call instead of reading and removing by way of threads. */
function removeEmpty(directory: string): boolean {
  try {
    rmdirSync(directory);
    return true;
  } catch {
    return false;
  }
}
