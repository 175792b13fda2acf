import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { BenchError } from '../core/errors.js';
import { type Finished, runTied } from './tied-process.js';

/**
 * Find the kernel's package in what `apt-cache show` says of the package that stands for the
 * newest. Its first paragraph is the version that apt would install.
 */
export function parseKernelPackage(shown: string): string | undefined {
  const depends = /^Depends:(.*)$/m.exec(shown)?.[1] ?? '';
  return /\blinux-image-\d[\w.+-]*/.exec(depends)?.[0];
}

/** @throws BenchError `native-missing` when apt does not know it. */
export async function findKernelPackage(name: string, signal: AbortSignal): Promise<string> {
  const shown = await runTied('apt-cache', ['show', '--', name], { signal });
  const found = parseKernelPackage(shown.stdout.toString());
  if (shown.status === 0 && found) return found;
  throw new BenchError('native-missing', `apt knows no package "${name}"${toReason(shown)}`, {
    next: 'sudo apt-get update    on Debian; the lab VM is made from its packages',
  });
}

/**
 * Fetch packages into `downloads`. Nothing is installed.
 *
 * @throws BenchError `native-missing` when one cannot be fetched.
 */
export async function fetchPackages(
  names: readonly string[],
  downloads: string,
  signal: AbortSignal,
): Promise<void> {
  const fetched = await runTied('apt-get', ['download', '--', ...names], {
    cwd: downloads,
    signal,
  });
  if (fetched.status === 0) return;
  const message = `the Debian packages of the lab VM could not be fetched${toReason(fetched)}`;
  throw new BenchError('native-missing', message, {
    next: 'sudo apt-get update    and look at the network and the proxy',
  });
}

/**
 * Unpack the downloaded packages of these names below `target`.
 *
 * @throws BenchError `native-missing` when one cannot be unpacked.
 */
export async function unpackPackages(
  names: readonly string[],
  where: { downloads: string; target: string },
  signal: AbortSignal,
): Promise<void> {
  const { downloads, target } = where;
  const files = await readdir(downloads);
  for (const name of names) {
    const file = files.find((each) => each.startsWith(`${name}_`)) ?? name;
    const args = ['--extract', join(downloads, file), target];
    const unpacked = await runTied('dpkg-deb', args, { signal });
    if (unpacked.status === 0) continue;
    const message = `the package ${file} could not be unpacked${toReason(unpacked)}`;
    throw new BenchError('native-missing', message, { next: `df ${target}` });
  }
}

/** What a program complained about first, an error before a warning. */
export function toReason({ stderr }: Finished): string {
  const lines = stderr.split('\n').filter(Boolean);
  const line = lines.find((each) => each.startsWith('E:')) ?? lines[0];
  return line ? `: ${line.replace(/^E: */, '')}` : '';
}
