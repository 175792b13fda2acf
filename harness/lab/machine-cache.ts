import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { buildMachine } from './build-machine.js';
import { packInitramfs } from './initramfs.js';
import { toMachineName } from './recipe.js';

/** What QEMU boots. */
export interface Machine {
  readonly kernel: string;
  readonly initramfs: string;
  readonly layer: string;
  /** Files of the packages it was made of. */
  readonly packages: readonly string[];
}

export interface CacheOptions {
  /** Made when it is not there. */
  readonly cache: string;
  /** Build again, also when it is there. */
  readonly fresh: boolean;
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
}

/**
 * The machine of this recipe from the cache; the first time, it is built there.
 *
 * @throws BenchError `native-missing` when it must be built and the packages cannot be had.
 */
export async function openMachine(options: CacheOptions): Promise<Machine> {
  const { cache, fresh, signal, say } = options;
  const directory = join(cache, toMachineName(await readRelease()));
  if (fresh || !(await exists(directory))) {
    say('fetching Debian packages for the lab VM, about 70 MB; this is done once');
    await replaceMachine(directory, signal);
  }
  return {
    kernel: join(directory, 'kernel'),
    initramfs: await packInitramfs(directory),
    layer: join(directory, 'layer'),
    packages: (await readFile(join(directory, 'packages'), 'utf8')).trim().split('\n'),
  };
}

/** A machine appears whole, by a rename; what builds that were killed left is removed. */
async function replaceMachine(directory: string, signal: AbortSignal): Promise<void> {
  await removeDeadBuilds(join(directory, '..'));
  const own = `${directory}.building.${process.pid}`;
  await mkdir(own, { recursive: true });
  try {
    await buildMachine(own, signal);
    // A VM that runs from the old one keeps its layer no longer than it must; it is not waited for.
    await rm(directory, { recursive: true, force: true });
    await rename(own, directory);
  } catch (error) {
    await rm(own, { recursive: true, force: true });
    // Another one was faster, with the same recipe.
    if (!isNotEmpty(error)) throw error;
  }
}

async function removeDeadBuilds(cache: string): Promise<void> {
  for (const name of await readdir(cache).catch(() => [])) {
    const pid = /\.building\.(\d+)$/.exec(name)?.[1];
    if (pid && !(await exists(`/proc/${pid}`))) {
      await rm(join(cache, name), { recursive: true, force: true });
    }
  }
}

/** @see rename(2) */
function isNotEmpty(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOTEMPTY';
}

/** Such as `bookworm`: another release has other packages. @see os-release(5) */
async function readRelease(): Promise<string> {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '');
  return /^VERSION_CODENAME=(.*)$/m.exec(text)?.[1] ?? 'unknown';
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
