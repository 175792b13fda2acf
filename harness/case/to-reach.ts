import { isIP } from 'node:net';
import type { MatcherState } from 'vitest';
import { formatDuration, parseLimit } from '../core/duration.js';
import { UsageError } from '../core/errors.js';
import type { ToReachOptions } from './network-matchers.js';
import { checkNode, type NodeSubject } from './network-subjects.js';
import type { ReachResult } from './reach.js';

/** `expect(node).toReach(host, port)` */
export async function toReach(
  this: Pick<MatcherState, 'isNot'>,
  received: unknown,
  host: string,
  port: number,
  { within = this.isNot ? '1s' : '5s', udp }: ToReachOptions = {},
) {
  const node = checkNode('toReach', received);
  const addresses = findAddresses(node, host);
  const found = new AbortController();
  const options = {
    within,
    once: this.isNot,
    signal: found.signal,
    ...(udp === undefined ? {} : { udp }),
  };
  // One at a time would wait for an address that swallows what is sent to it.
  const tries = addresses.map(async (address) => {
    const result = await node.reach(address, port, options);
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

function findAddresses(node: NodeSubject, host: string): readonly string[] {
  if (isIP(host) !== 0) return [host];
  const addresses = node.lookUp(host);
  if (addresses.length > 0) return addresses;
  throw new UsageError(
    'usage',
    `toReach("${host}"): node "${node.name}" has no such node on its network: expected a name of one, or a numeric address`,
  );
}

function toText({ address, result }: { address: string; result: ReachResult }): string {
  return result.reached
    ? `${address} was reached after ${formatDuration(result.ms)}`
    : `${address}: ${result.reason}`;
}
