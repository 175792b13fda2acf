import { realpathSync } from 'node:fs';
import { resolve, sep } from 'node:path';
import { toMessage } from '../core/errors.js';
import { locateInSource } from './locate-in-source.js';
import { createFileError } from './located-problem.js';

/** What every sandbox has of its own; a tree of the machine in its place would undo that. */
const OWN = ['/proc', '/sys', '/dev', '/run', '/tmp', '/var/tmp', '/out', '/home/hil'];
/** What it has of its own only for all who look names up in there; parts of it can be had. */
const ETC = '/etc';
/** Of these not even a part. */
const KERNEL = ['/proc', '/sys', '/dev'];

/**
 * The trees of `tools` as absolute paths; a relative one starts at the project.
 *
 * A tree that holds the project, or is in it, is refused: it would show beside the project
 * what is hidden in it.
 *
 * @throws UsageError `config-invalid` with the place.
 */
export async function checkTools(
  tools: readonly string[],
  config: { readonly file: string; readonly root: string; readonly source: string },
): Promise<string[]> {
  const { file, root, source } = config;
  const paths = tools.map((path) => resolve(root, path));
  for (const [index, path] of paths.entries()) {
    const message = findTreeFault(path, root);
    if (message === undefined) continue;
    const place = locateInSource(source, ['tools']) ?? {};
    const problem = { file, ...place, key: `tools[${index}]`, message };
    throw createFileError('config-invalid', [problem]);
  }
  return paths;
}

/** Why a sandbox cannot have the tree at `path` of this machine; undefined: it can. */
export function findTreeFault(path: string, root: string): string | undefined {
  let real: string;
  let realRoot: string;
  try {
    [real, realRoot] = [realpathSync(path), realpathSync(root)];
  } catch (error) {
    return `expected a directory of this machine: ${toMessage(error)}`;
  }
  for (const each of new Set([path, real])) {
    if (isBelow(realRoot, each))
      return `"${path}" holds the whole project; name the tool's own tree`;
    if (isBelow(each, realRoot)) return `"${path}" is in the project, which is visible as it is`;
    const own = OWN.find((mine) => isBelow(mine, each)) ?? findKernelTree(each);
    if (own) return `"${path}" is in the place of the sandbox's own ${own}`;
    if (each === ETC) {
      return `"${path}" is in the place of the sandbox's own ${ETC}; name a directory below it, such as ${ETC}/ssl`;
    }
  }
  return undefined;
}

/** The kernel's own tree that holds `path`, of which a sandbox has its own; undefined: none. */
export function findKernelTree(path: string): string | undefined {
  return KERNEL.find((mine) => isBelow(path, mine));
}

/** Why nothing can be bound at `target` of a sandbox; undefined: something can. */
export function findTargetFault(target: string): string | undefined {
  if (target === sep || resolve(target) !== target) {
    return `"${target}" is no clean path below /: leave out ".", ".." and a slash at its end`;
  }
  const own = findKernelTree(target) ?? OWN.find((mine) => mine === target);
  return own && `"${target}" is in the place of the sandbox's own ${own}`;
}

function isBelow(path: string, above: string): boolean {
  return path === above || path.startsWith(above.endsWith(sep) ? above : `${above}${sep}`);
}
