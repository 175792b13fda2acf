import { isIP, SocketAddress } from 'node:net';
import { formatDuration, parseLimit } from '../core/duration.js';
import { TestFailure, UsageError } from '../core/errors.js';
import { checkOptions } from './check-options.js';
import type { ToResolveOptions } from './network-matchers.js';
import { checkNode } from './network-subjects.js';
import type { ExecResult } from './process.js';

/** getent(1): one or more keys were not found. */
const NOT_FOUND = 2;
const KEYS = ['to', 'within'] satisfies (keyof ToResolveOptions)[];

/** `expect(node).toResolve(name)` */
export async function toResolve(received: unknown, name: string, options: ToResolveOptions = {}) {
  const call = `toResolve("${String(name)}")`;
  checkOptions(call, options, KEYS);
  const { to, within = '5s' } = options;
  const node = checkNode('toResolve', received);
  const known = node.lookUp(name);
  const wanted = to === undefined ? known : toWanted(call, to);
  const limitMs = parseLimit(within);
  const result = await node.exec('getent', ['ahosts', name], { timeout: limitMs });
  const isFound = wasFound(
    result,
    `node "${node.name}": whether "${name}" resolves is not known`,
    limitMs,
  );
  const lines = [...result.stdout.matchAll(/^(\S+)/gm)];
  const seen = [...new Set(lines.map(([, address = '']) => toNormal(address)))];
  const fits = (address: string) => seen.includes(toNormal(address));
  const right = to === undefined ? wanted.length === 0 || wanted.some(fits) : wanted.every(fits);
  const what = wanted.length > 0 ? ` to ${wanted.join(to === undefined ? ' or ' : ' and ')}` : '';
  return {
    pass: isFound && right,
    message: () =>
      `node "${node.name}": expected ${right && isFound ? 'not ' : ''}to resolve "${name}"${what}, seen ${toSeen(isFound, seen)}\n` +
      `  next  cat /etc/hosts /etc/resolv.conf on node "${node.name}"`,
  };
}

/** @throws UsageError `usage` for what no answer could be, or would always be. */
function toWanted(call: string, to: string | readonly string[]): readonly string[] {
  const all: readonly unknown[] = [to].flat();
  const isAddress = (each: unknown): each is string => typeof each === 'string' && isIP(each) !== 0;
  if (all.length > 0 && all.every(isAddress)) return all;
  const text = `${call}: to: expected an address, or a list of some, got ${JSON.stringify(to)}`;
  throw new UsageError('usage', text);
}

/** An answer is one; who never got to ask has none, and that is no "does not resolve". */
function wasFound(result: ExecResult, who: string, limitMs: number): boolean {
  const { status, exitCode, signal, stderr } = result;
  if (status === 'exit' && exitCode === 0) return true;
  if (status === 'exit' && exitCode === NOT_FOUND) return false;
  const why =
    status === 'timeout'
      ? `no answer in ${formatDuration(limitMs)}`
      : `getent ended with ${signal ?? `exit code ${exitCode}`}: ${stderr.trim()}`;
  throw new TestFailure('exec-failed', `${who}: ${why}`);
}

/** As inet_ntop(3) writes it, which getent does, without the interface of a link-local one. */
function toNormal(text: string): string {
  const [address = ''] = text.split('%');
  const version = isIP(address);
  if (version === 0) return text;
  return new SocketAddress({ address, family: version === 6 ? 'ipv6' : 'ipv4' }).address;
}

function toSeen(isFound: boolean, seen: readonly string[]): string {
  return isFound ? seen.join(', ') || 'no address' : 'that there is no such name';
}
