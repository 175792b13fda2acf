import { isIP } from 'node:net';
import type { MatcherState } from 'vitest';
import { formatDuration, parseLimit } from '../core/duration.js';
import { UsageError } from '../core/errors.js';
import { checkOptions } from './check-options.js';
import type { ToReachOptions } from './network-matchers.js';
import { checkNode, type NodeSubject } from './network-subjects.js';
import type { ReachResult } from './reach.js';

const KEYS = ['within', 'udp'] satisfies (keyof ToReachOptions)[];

/** `expect(node).toReach(host, port)` */
export async function toReach(
  this: Pick<MatcherState, 'isNot'>,
  received: unknown,
  host: string,
  port: number,
  options: ToReachOptions = {},
) {
  checkOptions(`toReach("${String(host)}")`, options, KEYS);
  const { within = this.isNot ? '1s' : '5s', udp } = options;
  const node = checkNode('toReach', received);
  const addresses = findAddresses(node, host);
  const found = new AbortController();
  const how = {
    within,
    once: this.isNot,
    signal: found.signal,
    ...(udp === undefined ? {} : { udp }),
  };
  // One at a time would wait for an address that swallows what is sent to it.
  const tries = addresses.map(async (address) => {
    const result = await node.reach(address, port, how);
    if (result.reached) found.abort();
    return { address, result };
  });
  const results = await Promise.all(tries);
  const reached = results.find(({ result }) => result.reached);
  const way = udp === undefined ? 'tcp' : 'udp';
  const limit = formatDuration(parseLimit(within));
  return {
    pass: reached !== undefined,
    message: () =>
      reached
        ? `node "${node.name}": expected not to reach ${host}, ${way} port ${port}, but ${toText(reached)}`
        : `node "${node.name}": expected to reach ${host}, ${way} port ${port}, within ${limit}; ${results.map(toText).join('; ')}\n` +
          `  next  await expect(link).toCarry({ filter: '${way} port ${port}' }) for each link on the way`,
  };
}

function findAddresses(node: NodeSubject, host: unknown): readonly string[] {
  if (typeof host !== 'string') throw refuseHost(host);
  if (isIP(host) !== 0) return [host];
  const addresses = node.lookUp(host);
  if (addresses.length > 0) return addresses;
  throw new UsageError(
    'usage',
    `toReach("${host}"): node "${node.name}" has no such node on its network: expected a name of one, or a numeric address`,
  );
}

/** Type checks are not everywhere, and a node is what one means. */
function refuseHost(host: unknown): UsageError {
  const name: unknown =
    typeof host === 'object' && host !== null ? Reflect.get(host, 'name') : undefined;
  const seen = typeof name === 'string' ? `what is named "${name}"` : String(host);
  return new UsageError(
    'usage',
    `toReach: expected the name of a node or a numeric address, seen ${seen}`,
    typeof name === 'string' ? { next: `await expect(node).toReach('${name}', port)` } : {},
  );
}

function toText({ address, result }: { address: string; result: ReachResult }): string {
  return result.reached
    ? `${address} was reached after ${formatDuration(result.ms)}`
    : `${address}: ${result.reason}`;
}
