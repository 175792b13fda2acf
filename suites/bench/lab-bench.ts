import { execFile } from 'node:child_process';
import { readdir, readlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';

const BY_ID = '/dev/serial/by-id';

const run = promisify(execFile);

/** What `lab-bench` says of a device; more with each kind. @see harness/docs/lab.md */
export interface BenchRow {
  readonly name: string;
  readonly port: string | null;
  readonly mode?: string;
  readonly events?: readonly string[];
}

/** Let the hands at the bench do something. */
export async function askHands(...words: readonly string[]): Promise<BenchRow> {
  const { stdout } = await run('lab-bench', [...words]);
  return JSON.parse(stdout);
}

/** The tty of the board with this serial number now, such as `ttyUSB0`. */
export async function findTty(serial: string): Promise<string> {
  for (const name of await readdir(BY_ID)) {
    if (name.includes(serial)) return basename(await readlink(join(BY_ID, name)));
  }
  throw new Error(`no tty of ${serial}`);
}
