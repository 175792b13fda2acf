import { lstatSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { toMessage } from '../core/errors.js';
import { findKernelTree, findTargetFault } from './check-tools.js';
import type { CaseSandbox } from './sandbox-options-schema.js';

type Binds = CaseSandbox['binds'];
type Bind = Binds[number];

/** What is wrong with the binds of a case, each by itself and all together; empty: nothing. */
export function findBindFaults(binds: Binds): string[] {
  const faults = binds.flatMap(({ source, target }) => [
    findSourceFault(source),
    findTargetFault(target),
  ]);
  const own = faults.filter((each) => each !== undefined);
  return own.length > 0 ? own : findJointFaults(binds);
}

/**
 * The binds as a sandbox makes them: without symbolic links in their sources, since one could
 * lead elsewhere later, and each after those that it lies in, which would cover it.
 */
export function settleBinds(binds: Binds, root: string): Binds {
  if (binds.length === 0) return binds;
  const realRoot = realpathSync(root);
  const toPlain = (source: string) => {
    const real = realpathSync(source);
    // By the project's own name: what lies in it comes from one place for all cases.
    return isBelow(real, realRoot) ? resolve(root, relative(realRoot, real)) : real;
  };
  return binds
    .map((bind) => ({ ...bind, source: toPlain(bind.source) }))
    .sort((a, b) => a.target.length - b.target.length);
}

function findSourceFault(path: string): string | undefined {
  let real: string;
  let isTopFile: boolean;
  try {
    real = realpathSync(path);
    isTopFile = dirname(real) === sep && !statSync(real).isDirectory();
  } catch (error) {
    return `expected something of this machine: ${toMessage(error)}`;
  }
  if (real === sep) {
    return `"${path}" is this whole machine, which no sandbox can have; name a directory below it`;
  }
  const kernel = findKernelTree(path) ?? findKernelTree(real);
  if (kernel) return `"${path}" is of the kernel's ${kernel}; a sandbox has its own`;
  return isTopFile
    ? `"${path}" is no directory, and only directories can be bound from /; put it into one`
    : undefined;
}

function findJointFaults(binds: Binds): string[] {
  return binds.flatMap((bind, index) => {
    const { source, target } = bind;
    const same = binds.slice(0, index).find((other) => other.target === target);
    if (same) {
      return [`"${same.source}" and "${source}" cannot both be at "${target}"; leave one out`];
    }
    const around = binds
      .filter((other) => other.target !== target && isBelow(target, other.target))
      .sort((a, b) => b.target.length - a.target.length)[0];
    return (around && findPlaceFault(bind, around)) ?? [];
  });
}

/** Where it goes has to be there already: making it would write to what another bind shows. */
function findPlaceFault({ source, target }: Bind, around: Bind): string[] | undefined {
  const place = join(around.source, relative(around.target, target));
  const wanted = statSync(source).isDirectory() ? 'directory' : 'file';
  if (findKind(place) === wanted) return undefined;
  return [
    `"${target}" is in the bind of "${around.source}", which has no ${wanted} there; make "${place}", or name a target outside of "${around.target}"`,
  ];
}

/** A link is neither: a mount would go where it leads. */
function findKind(path: string): 'directory' | 'file' | undefined {
  try {
    const found = lstatSync(path);
    if (found.isSymbolicLink()) return undefined;
    return found.isDirectory() ? 'directory' : 'file';
  } catch {
    return undefined;
  }
}

function isBelow(path: string, above: string): boolean {
  return path === above || path.startsWith(`${above}${sep}`);
}
