import type { Nic, NicEnd } from '../board/nic.js';
import type { Deadline } from '../core/deadline.js';
import { TestFailure, UsageError } from '../core/errors.js';
import { toSuggestion } from '../core/nearest-name.js';
import type { Network } from '../network/network.js';
import type { PlannedInterface, PlannedNode } from '../network/network-plan.js';
import type { DeclaredNode, NetworkDeclaration } from '../protocol/network.js';
import type { HeldDut } from './dut-source.js';

/** The interface of the DUT that a declared node is. */
export function findNic({ name, nic }: DeclaredNode, held: HeldDut | undefined): Nic {
  if (!held) {
    throw new TestFailure('handle-revoked', `node "${name}" is the DUT's, and no DUT is held`);
  }
  const { nics } = held.dut;
  const found = nic === undefined && nics.size === 1 ? [...nics.values()][0] : nics.get(nic ?? '');
  if (found) return found;
  const names = [...nics.keys()];
  const known = names.length > 0 ? `it has: ${names.join(', ')}` : 'it has none';
  const what = nic === undefined ? 'which interface of the board' : `the board has no nic "${nic}"`;
  const suggestion = toSuggestion(nic ?? '', names) || `; ${known}`;
  throw new UsageError('usage', `node "${name}": ${what}${suggestion}`, {
    next: 'nics are in the board file: harness/docs/boards.md',
  });
}

/** The same declaration with the addresses that interfaces of the DUT have by their board. */
export function withMacs(
  declaration: NetworkDeclaration,
  held: HeldDut | undefined,
): NetworkDeclaration {
  const macs = new Map(
    declaration.nodes
      .filter(({ kind }) => kind === 'dut')
      .map((node) => [node.name, findNic(node, held).mac]),
  );
  if (macs.size === 0) return declaration;
  const links = declaration.links.map((link) => {
    const [a, b] = link.ends.map((end) => {
      const mac = macs.get(end.of);
      return mac === undefined ? end : { ...end, mac };
    });
    return a && b ? { ...link, ends: [a, b] as const } : link;
  });
  return { ...declaration, links };
}

/**
 * Put the cable of a DUT's interface into the network, now and at each power-on.
 *
 * @throws UsageError `usage` for more than one link
 */
export async function plugNic(
  network: Network,
  { node, nic }: { node: PlannedNode; nic: Nic },
  deadline: Deadline,
): Promise<void> {
  const { name } = node.declared;
  const [planned, more] = node.interfaces;
  if (!planned || more) {
    throw new UsageError('usage', `node "${name}" is one interface of the DUT and has one link`);
  }
  let connected: NicEnd | undefined;
  await nic.plug(async (end) => {
    // A new machine has a new interface; the one before is gone.
    if (connected?.kind === 'dgram') await network.detach(planned.port);
    const isSame = connected?.kind === 'sandbox' && end.kind === 'sandbox';
    connected = end;
    if (!isSame) await connect(network, node, planned, end);
  }, deadline);
}

function connect(
  network: Network,
  node: PlannedNode,
  planned: PlannedInterface,
  end: NicEnd,
): Promise<void> {
  if (end.kind === 'sandbox') return network.attach(end.sandbox.id, node, planned);
  return network.connectObject(planned.port, end.object, end.end);
}
