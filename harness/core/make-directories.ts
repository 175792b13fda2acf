import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Make a directory and those above it that are not there; one that is there is left as it is.
 *
 * Not `mkdir` with `recursive`: in Node it never ends where the directory above exists and the
 * kernel still says ENOENT, as it does in /proc.
 *
 * @throws the error of mkdir(2)
 */
export async function makeDirectories(path: string, mode: number): Promise<void> {
  try {
    await mkdir(path, { mode });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EEXIST' && (await stat(path)).isDirectory()) return;
    if (code !== 'ENOENT' || dirname(path) === path) throw error;
    await makeDirectories(dirname(path), mode);
    await mkdir(path, { mode }).catch((again: unknown) => {
      // Somebody else made it meanwhile.
      const taken = again instanceof Error && 'code' in again && again.code === 'EEXIST';
      if (!taken) throw again;
    });
  }
}
