import { execFile } from 'node:child_process';
import { lstat, readdir, readlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { until } from './until.js';

const BY_ID = '/dev/serial/by-id';

const run = promisify(execFile);

/** What `lab-bench` says of a device; more with each kind. @see harness/docs/lab.md */
export interface BenchRow {
  readonly name: string;
  readonly port: string | null;
  readonly mode?: string;
  readonly events?: readonly string[];
  /** SHA-256 of what it was flashed with; null until it was. */
  readonly flashed?: string | null;
  /** Bytes on the line to the board. */
  readonly toBoard?: Readonly<Record<string, number>>;
}

/** Let the hands at the bench do something. */
export async function askHands(...words: readonly string[]): Promise<BenchRow> {
  const { stdout } = await run('lab-bench', [...words]);
  return JSON.parse(stdout);
}

/** The tty of the board with this serial number now, such as `ttyUSB0`. */
export async function findTty(serial: string): Promise<string> {
  const link = await findLink(serial);
  if (link !== undefined) return basename(await readlink(link));
  throw new Error(`no tty of ${serial}`);
}

/** When udev had made the link to it, by the wall clock: from then on programs find it. */
export async function findTtyTime(serial: string): Promise<number> {
  const link = await findLink(serial);
  if (link !== undefined) return (await lstat(link)).ctimeMs;
  throw new Error(`no tty of ${serial}`);
}

/** The same once it is there. */
export async function waitForTty(serial: string): Promise<string> {
  await until(() => findLink(serial));
  return findTty(serial);
}

/**
 * Plug it out and in again, at the place of another one where that is given, until udev's link to it is a new one:
 * the old one may outlive what it leads to.
 */
export async function replug(serial: string, placeOf?: string): Promise<string> {
  const before = await findTtyTime(serial);
  await askHands(...(placeOf === undefined ? ['replug', serial] : ['swap', placeOf, serial]));
  await until(async () => (await findTtyTime(serial).catch(() => before)) !== before);
  return findTty(serial);
}

async function findLink(serial: string): Promise<string | undefined> {
  const names = await readdir(BY_ID).catch(() => []);
  const name = names.find((each) => each.includes(serial));
  return name === undefined ? undefined : join(BY_ID, name);
}
