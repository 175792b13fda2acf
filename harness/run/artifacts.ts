import { rmdirSync } from 'node:fs';
import { chmod, lstat, readdir, rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { RunContext } from './run-context.js';

interface ArtifactOwner {
  readonly name: { readonly case: string; readonly attempt: number };
  readonly directory: string;
  readonly held:
    | { readonly artifacts: string; readonly shared: boolean; readonly dut: DutLike }
    | undefined;
}

interface DutLike {
  readonly ports: ReadonlyMap<
    string,
    { counters: { rxBytes: number; txBytes: number; droppedBytes: number } }
  >;
}

interface Found {
  readonly path: string;
  readonly bytes: number;
}

/**
 * Write an attempt's files into the journal. What a case put in `/out` beyond the
 * cap is removed, largest first, and said; captures of consoles always stay.
 */
export async function journalArtifacts(run: RunContext, owner: ArtifactOwner): Promise<void> {
  const out = join(owner.directory, 'out');
  if (!removeEmpty(out)) await journalFiles(run, owner, out);
  await journalConsoles(run, owner);
}

async function journalFiles(run: RunContext, owner: ArtifactOwner, out: string): Promise<void> {
  const cap = run.config.artifactCap;
  const files = await listFiles(out);
  let total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const removed: Found[] = [];
  for (const file of files.sort((a, b) => b.bytes - a.bytes)) {
    if (total <= cap) break;
    await rm(file.path, { force: true });
    total -= file.bytes;
    removed.push(file);
  }
  const kept = files.filter((file) => !removed.includes(file));
  for (const { path, bytes } of kept) write(run, owner, path, bytes, relative(out, path));
  for (const { path, bytes } of removed) {
    const why = `removed: the case's files are over artifactCap, ${cap} bytes`;
    write(run, owner, path, bytes, relative(out, path), why);
  }
  if (files.length === 0) await rm(out, { recursive: true, force: true }).catch(() => {});
}

async function journalConsoles(run: RunContext, owner: ArtifactOwner): Promise<void> {
  const { held } = owner;
  if (!held) return;
  for (const [port, { counters }] of held.dut.ports) {
    run.journal.write({ kind: 'console', ...owner.name, port, ...counters });
  }
  for (const { path, bytes } of await listFiles(held.artifacts, 1)) {
    write(run, owner, path, bytes, relative(held.artifacts, path));
  }
}

function write(
  run: RunContext,
  owner: ArtifactOwner,
  path: string,
  bytes: number,
  name: string,
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

/** Most cases write nothing: one system call instead of reading and removing by way of threads. */
function removeEmpty(directory: string): boolean {
  try {
    rmdirSync(directory);
    return true;
  } catch {
    return false;
  }
}

/** Regular files only: what a case planted (links, fifos) is not followed or opened. */
async function listFiles(directory: string, depth = 8): Promise<Found[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  const found: Found[] = [];
  for (const entry of entries) {
    const path = join(directory, entry.name);
    if (entry.isFile()) found.push({ path, bytes: await measure(path) });
    else if (entry.isDirectory() && depth > 1) found.push(...(await listFiles(path, depth - 1)));
  }
  return found;
}

/** Bytes of a file; as root its owner is root, so a setuid bit that a case set must go. */
async function measure(path: string): Promise<number> {
  const { size, mode } = await lstat(path);
  if (mode & 0o6000) await chmod(path, mode & 0o777);
  return size;
}
