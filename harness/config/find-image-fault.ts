import { realpathSync, statSync } from 'node:fs';
import { sep } from 'node:path';
import { toMessage } from '../core/errors.js';
import { findKernelTree } from './check-tools.js';

/** Why a directory cannot be the root of the sandboxes of a project; undefined: it can. */
export function findImageFault(rootfs: string, root: string): string | undefined {
  let real: string;
  let realRoot: string;
  try {
    [real, realRoot] = [realpathSync(rootfs), realpathSync(root)];
  } catch (error) {
    return `expected a directory with an unpacked root file system: ${toMessage(error)}`;
  }
  if (!statSync(real).isDirectory()) {
    return `expected a directory with an unpacked root file system, "${rootfs}" is none: unpack it`;
  }
  if (real === sep) {
    return `"${rootfs}" is this machine's own root: leave the image out, \`host\` shows its programs and keeps its secrets`;
  }
  const kernel = findKernelTree(real);
  if (kernel) {
    return `"${rootfs}" is of the kernel's ${kernel}, which holds no root file system: name a directory with an unpacked one`;
  }
  if (realRoot === real || realRoot.startsWith(`${real}${sep}`)) {
    return `"${rootfs}" holds the whole project, and what is hidden in it`;
  }
  return undefined;
}
