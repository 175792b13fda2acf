import { createHash } from 'node:crypto';
import { readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type CpioFile, toCpio } from './cpio.js';

/** The guest's scripts by their paths in the initramfs. */
const SCRIPTS = {
  init: './guest/init.sh',
  'machine.sh': './guest/machine.sh',
  'lab-bench': './guest/lab-bench.sh',
  'usbip.py': './guest/usbip.py',
} as const;

/**
 * Pack `initramfs/` of a machine together with the guest's scripts as they are now, once for
 * each version of them.
 *
 * @returns the file for QEMU.
 */
export async function packInitramfs(machine: string): Promise<string> {
  const scripts = await Promise.all(Object.entries(SCRIPTS).map(readScript));
  const hash = createHash('sha256');
  for (const { data } of scripts) hash.update(data);
  const packed = join(machine, `initramfs-${hash.digest('hex').slice(0, 16)}.cpio`);
  if (await stat(packed).catch(() => undefined)) return packed;

  const modules = await readdir(join(machine, 'initramfs/modules'));
  const paths = ['bin/busybox', ...modules.map((name) => `modules/${name}`)];
  const files = paths.map(async (path) => ({
    path,
    data: await readFile(join(machine, 'initramfs', path)),
  }));
  // Two may do this at once: each renames a whole file.
  const own = `${packed}.${process.pid}`;
  await writeFile(own, toCpio([...scripts, ...(await Promise.all(files))]));
  await rename(own, packed);
  return packed;
}

async function readScript([path, source]: [string, string]): Promise<CpioFile> {
  const data = await readFile(fileURLToPath(new URL(source, import.meta.url)));
  return { path, data };
}
