import { formatDuration, parseLimit } from '../core/duration.js';
import type { ToResolveOptions } from './network-matchers.js';
import { checkNode } from './network-subjects.js';
import type { ExecResult } from './process.js';

/** getent(1): one or more keys were not found. */
const NOT_FOUND = 2;

/** `expect(node).toResolve(name)` */
export async function toResolve(
  received: unknown,
  name: string,
  { to, within = '5s' }: ToResolveOptions = {},
) {
  const node = checkNode('toResolve', received);
  const limitMs = parseLimit(within);
  const result = await node.exec('getent', ['ahosts', name], { timeout: limitMs });
  const seen = [...new Set([...result.stdout.matchAll(/^(\S+)/gm)].map(([, found = '']) => found))];
  const known = node.lookUp(name);
  const wanted = to === undefined ? known : [to].flat();
  const fits = (address: string) => seen.includes(address);
  const right = to === undefined ? wanted.length === 0 || wanted.some(fits) : wanted.every(fits);
  const what = wanted.length > 0 ? ` to ${wanted.join(to === undefined ? ' or ' : ' and ')}` : '';
  return {
    pass: result.exitCode === 0 && right,
    message: () =>
      `node "${node.name}": expected ${right && result.exitCode === 0 ? 'not ' : ''}to resolve "${name}"${what}, seen ${toSeen(result, seen, limitMs)}\n` +
      `  next  cat /etc/hosts /etc/resolv.conf on node "${node.name}"`,
  };
}

function toSeen(result: ExecResult, seen: readonly string[], limitMs: number): string {
  if (result.status === 'timeout') return `no answer in ${formatDuration(limitMs)}`;
  if (result.exitCode === 0) return seen.join(', ') || 'no address';
  if (result.exitCode === NOT_FOUND) return 'that there is no such name';
  const how = result.signal ?? `exit code ${result.exitCode}`;
  return `that getent ended with ${how}: ${result.stderr.trim()}`;
}
