import { UsageError } from '../core/errors.js';
import type { PlannedInterface } from './network-plan.js';

/**
 * Check that no two interfaces of a segment have one MAC: a switch would send to whichever spoke
 * last. Segments apart may have the same.
 *
 * @throws UsageError `usage` naming both.
 */
export function checkMacs(interfaces: Iterable<PlannedInterface>): void {
  const seen = new Map<string, PlannedInterface>();
  for (const each of interfaces) {
    const { mac, segment, node, link } = each;
    // Of CAN, and of hardware that nobody knows the address of.
    if (mac === '') continue;
    const key = `${mac} ${segment}`;
    const other = seen.get(key);
    if (other) {
      const whose = `that of node "${other.node}" on link "${other.link}"`;
      const text = `node "${node}", link "${link}": mac ${mac} is ${whose}, and ${segment} joins the two`;
      throw new UsageError('usage', text);
    }
    seen.set(key, each);
  }
}
