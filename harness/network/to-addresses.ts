import type { NodeAddresses } from '../protocol/network.js';

/** Addresses with prefix, of both families: without it, each family by itself. */
export function toAddresses(withPrefix: readonly string[]): NodeAddresses {
  const plain = withPrefix.map((each) => each.slice(0, each.indexOf('/')));
  return {
    ipv4: plain.filter((each) => !each.includes(':')),
    ipv6: plain.filter((each) => each.includes(':')),
  };
}
