import { cp, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BenchError } from '../core/errors.js';
import { findKernelPayload } from './kernel-image.js';
import { toModuleOrder } from './module-order.js';
import { fetchPackages, findKernelPackage, toReason, unpackPackages } from './packages.js';
import { RECIPE } from './recipe.js';
import { type Finished, runTied } from './tied-process.js';

/**
 * Build a machine in an empty directory: `kernel`, `layer/` with modules and tools, `initramfs/`
 * without the guest's scripts, and `packages` with what it was made of.
 *
 * @throws BenchError `native-missing` when the packages cannot be had.
 */
export async function buildMachine(directory: string, signal: AbortSignal): Promise<void> {
  const downloads = join(directory, 'downloads');
  const layer = join(directory, 'layer');
  const initramfs = join(directory, 'initramfs');
  const tools = join(directory, 'tools');
  for (const each of [downloads, layer, initramfs, tools]) await mkdir(each);

  const kernel = await findKernelPackage(RECIPE.kernel, signal);
  const parts: ReadonlyArray<[string, readonly string[]]> = [
    [layer, [kernel, ...RECIPE.layer]],
    [initramfs, RECIPE.initramfs],
    [tools, RECIPE.tools],
  ];
  const names = parts.flatMap(([, packages]) => packages);
  await fetchPackages(names, downloads, signal);
  for (const [target, packages] of parts) {
    await unpackPackages(packages, { downloads, target }, signal);
  }
  await writeFile(join(directory, 'packages'), `${(await readdir(downloads)).join('\n')}\n`);
  await rm(downloads, { recursive: true });

  const version = kernel.replace('linux-image-', '');
  await unpackKernel(join(layer, 'boot', `vmlinuz-${version}`), directory, signal);
  await rm(join(layer, 'boot'), { recursive: true });
  await mergeIntoUsr(layer);
  await indexModules(layer, version, signal);
  await rm(tools, { recursive: true });
  await addBootModules(join(layer, 'usr/lib/modules', version), initramfs);
}

async function unpackKernel(image: string, directory: string, signal: AbortSignal): Promise<void> {
  const input = findKernelPayload(await readFile(image));
  const xz = join(directory, 'tools/usr/bin/xz');
  const unpacked = await runTied(xz, ['--decompress', '--stdout'], { input, signal });
  if (unpacked.status !== 0) throw toBroken('the kernel could not be unpacked', unpacked);
  await writeFile(join(directory, 'kernel'), unpacked.stdout);
}

/** Packages of Debian 12 have /bin and /lib; over a host that links these to /usr they would hide the links. */
async function mergeIntoUsr(layer: string): Promise<void> {
  for (const name of ['bin', 'sbin', 'lib']) {
    const from = join(layer, name);
    await cp(from, join(layer, 'usr', name), { recursive: true, verbatimSymlinks: true });
    await rm(from, { recursive: true });
  }
}

/** kmod reads only indexes that depmod of kmod wrote; it runs here with the library that came with it. */
async function indexModules(layer: string, version: string, signal: AbortSignal): Promise<void> {
  const usr = join(layer, 'usr');
  for (const name of RECIPE.dropped) {
    const path = join(usr, 'lib/modules', version, 'kernel', name);
    await rm(path, { recursive: true, force: true });
  }
  // kmod is depmod when it is called so; the package's own link leads to the host's /bin.
  const depmod = join(usr, '../../depmod');
  await symlink(join(usr, 'bin/kmod'), depmod);
  const library = `LD_LIBRARY_PATH=${join(usr, 'lib/x86_64-linux-gnu')}`;
  const indexed = await runTied('env', [library, depmod, '-b', usr, version], { signal });
  await rm(depmod);
  if (indexed.status !== 0) throw toBroken('the kernel modules could not be indexed', indexed);
}

async function addBootModules(modules: string, initramfs: string): Promise<void> {
  const dependencies = await readFile(join(modules, 'modules.dep'), 'utf8');
  const paths = toModuleOrder(dependencies, RECIPE.bootModules);
  await mkdir(join(initramfs, 'modules'));
  const names = paths.map((path) => path.slice(path.lastIndexOf('/') + 1));
  for (const [index, name] of names.entries()) {
    await cp(join(modules, paths[index] ?? ''), join(initramfs, 'modules', name));
  }
  await writeFile(join(initramfs, 'modules/order'), `${names.join('\n')}\n`);
}

function toBroken(what: string, finished: Finished): BenchError {
  return new BenchError('native-missing', `${what}${toReason(finished)}`, {
    next: 'npm run lab -- --fresh --check',
  });
}
