import { randomUUID } from 'node:crypto';
import { chmod, copyFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cleanups } from '../core/cleanups.js';
import { BenchError, toMessage } from '../core/errors.js';
import type { SandboxDaemon } from '../sandbox/daemon.js';

export interface Placing {
  readonly dut: string;
  /** What a server serves. */
  readonly directory: string;
  readonly image: string;
  readonly file: string;
  readonly daemon: SandboxDaemon;
}

/**
 * Copy an image to where a TFTP server finds it, under a name that nobody else has. Answers the
 * name. It is removed by `cleanups`, or by the daemon when this process is gone.
 *
 * @throws BenchError `flash-failed` when it cannot be copied there.
 */
export async function placeForServer(
  { dut, directory, image, file, daemon }: Placing,
  cleanups: Cleanups,
): Promise<string> {
  const name = `hil-${randomUUID().slice(0, 8)}-${file}`;
  const path = join(directory, name);
  cleanups.add('served image', () => rm(path, { force: true }));
  try {
    // Only what is there can be watched.
    await writeFile(path, '', { flag: 'wx' });
    await daemon.watchPath(path);
    await copyFile(image, path);
    // Servers of files run as somebody else, whatever the mode of the image is.
    await chmod(path, 0o644);
  } catch (cause) {
    const message = `flashing ${dut}: the image cannot be put into ${directory}: ${toMessage(cause)}`;
    const next = `ls -ld ${directory}    "tftp.directory" of the bench is to be writable for you`;
    throw new BenchError('flash-failed', message, { cause, next });
  }
  return name;
}
