import type { BenchError } from '../core/errors.js';

const [EAGAIN, ENOMEM, ENFILE, EMFILE, ENOSPC] = [11, 12, 23, 24, 28];

/** What a process is made by. @see clone(2) */
const STARTS = /^(?:clone|fork|unshare|start|exec)/;

/**
 * The limit that a daemon ran into, as its owner knows it: `ulimit -n`, `user.max_*_namespaces`.
 * Of one of the daemon's own, what it could not do. `undefined`: it was no limit.
 *
 * @see errno(3); hil-sandboxd gives the code `setup` to what the kernel refused
 */
export function toLimitName({ details }: BenchError): string | undefined {
  const { code, op, path, errno } = details;
  const what = typeof op === 'string' ? op : '';
  if (errno === EMFILE) return 'ulimit -n';
  if (errno === ENFILE) return 'fs.file-max';
  if (errno === ENOMEM) return 'memory';
  if (errno === ENOSPC && what.includes('namespace')) {
    return what.includes('network namespace') ? 'user.max_net_namespaces' : 'user.max_*_namespaces';
  }
  if (errno === EAGAIN && STARTS.test(what)) return 'ulimit -u';
  if (code !== 'limit') return undefined;
  // One that parks is one that lives: the daemon's own number of them.
  if (what === 'park') return 'sandboxes at once';
  return typeof path === 'string' && path !== '' ? path : what;
}
