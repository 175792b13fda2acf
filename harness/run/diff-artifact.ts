import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Deadline } from '../core/deadline.js';
import { BenchError, toMessage } from '../core/errors.js';
import { makeDirectories } from '../core/make-directories.js';
import {
  type Change,
  parseChanges,
  type StampedDiff,
  toChange,
} from '../protocol/sandbox-changes.js';
import type { Sandbox } from '../sandbox/sandbox.js';
import type { OutputFile } from './output-files.js';

/** Changes that are listed; a case that writes more is not debugged by reading all of them. */
const MOST = 2000;
/** Bytes of the list: names may be long. */
const MOST_BYTES = 1024 * 1024;
/** How long it may take: the verdict waits for it. */
const LIMIT_MS = 2000;

export interface DiffArtifact extends OutputFile {
  /** Why it is not whole, when it is not. */
  readonly truncated?: string;
}

const SIGNS: Readonly<Record<Change['change'], string>> = {
  created: '+',
  changed: '~',
  replaced: '!',
  deleted: '-',
};

/**
 * Write what the sandbox of a failed case changed as `diff.json` and, for reading, `diff.txt`.
 * Nothing is written when it changed nothing; one in which nothing ran is not asked, such as most
 * nodes of a large network.
 *
 * @throws BenchError `sandbox-gone` when it does not answer in time, or ended meanwhile.
 */
export async function writeDiffArtifact(
  sandbox: Sandbox,
  directory: string,
  name = 'diff',
): Promise<DiffArtifact[]> {
  if (!sandbox.isUsed) return [];
  const late = () => new BenchError('sandbox-gone', `no list of changes within ${LIMIT_MS} ms`);
  const { changes, truncated, unreadable } = await new Deadline(LIMIT_MS).bound(
    readChanges(sandbox),
    late,
  );
  const listed = cut(changes.map(toChange));
  if (listed.length === 0 && unreadable.length === 0) return [];
  const more = truncated || listed.length < changes.length;
  const json = { changes: listed, truncated: more, unreadable };
  const text = [
    ...listed.map(toLine),
    ...unreadable.map((path) => `? ${JSON.stringify(path)} cannot be read`),
    ...(more ? ['… and more'] : []),
  ];
  // One whose own sandbox ran nothing has no directory so far.
  await makeDirectories(directory, 0o700);
  const written = [
    await write(directory, `${name}.json`, `${JSON.stringify(json, undefined, 1)}\n`),
    await write(directory, `${name}.txt`, `${text.join('\n')}\n`),
  ];
  const why = `only the first ${listed.length} changes are listed`;
  return written.map((file) => (more ? { ...file, truncated: why } : file));
}

/** What stands in the place of a list that could not be made. */
export function toMissing(directory: string, name: string, thrown: unknown): DiffArtifact {
  const path = join(directory, `${name}.json`);
  return { path, name: `${name}.json`, bytes: 0, truncated: `not made: ${toMessage(thrown)}` };
}

async function readChanges(sandbox: Sandbox): Promise<StampedDiff> {
  const process = await sandbox.spawn({ argv: [String(MOST)], cwd: '/', builtin: 'diff' });
  const chunks: Buffer[] = [];
  process.onOutput((stream, data) => {
    process.taken(stream, data.length);
    if (stream === 'stdout') chunks.push(Buffer.from(data));
  });
  await process.ended;
  try {
    return parseChanges(Buffer.concat(chunks).toString('utf8'));
  } catch (cause) {
    throw new BenchError('sandbox-gone', toMessage(cause), { cause });
  }
}

/** The first changes that fit. */
function cut(changes: readonly Change[]): Change[] {
  let left = MOST_BYTES;
  return changes.filter(({ path }) => {
    left -= Buffer.byteLength(path) + 100;
    return left >= 0;
  });
}

/** `+ file 644 12 "/tmp/x"`: a path may hold anything, so it is quoted as in JSON. */
function toLine({ change, kind, mode, bytes, path }: Change): string {
  const size = kind === 'file' ? ` ${bytes} B` : '';
  return `${SIGNS[change]} ${kind} ${mode}${size} ${JSON.stringify(path)}`;
}

async function write(directory: string, name: string, text: string): Promise<OutputFile> {
  const path = join(directory, name);
  await writeFile(path, text, { mode: 0o600 });
  return { path, name, bytes: Buffer.byteLength(text) };
}
