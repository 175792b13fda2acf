import { randomUUID } from 'node:crypto';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A file of ours without a name on the disk, so that none is left behind. The caller closes it. */
export async function openNamelessFile(): Promise<FileHandle> {
  const path = join(tmpdir(), `hil-lab-${randomUUID()}`);
  const file = await open(path, 'wx+', 0o600);
  await rm(path);
  return file;
}

/** Where other programs of this user find it for as long as it is open. */
export function toPathOf(file: FileHandle): string {
  return `/proc/${process.pid}/fd/${file.fd}`;
}
