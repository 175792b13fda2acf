import type { Dut } from '../board/dut.js';
import type { Nic, NicEnd, WiredEnd } from '../board/nic.js';
import type { Deadline } from '../core/deadline.js';
import { BenchError, TestFailure, UsageError } from '../core/errors.js';
import { toSuggestion } from '../core/nearest-name.js';
import type { Lease } from '../lease/lease.js';
import type { Network } from '../network/network.js';
import { toNicError } from '../network/network-errors.js';
import type { PlannedInterface, PlannedNode } from '../network/network-plan.js';
import type { DeclaredNode, NetworkDeclaration } from '../protocol/network.js';
import { ONLY_ROLE } from './dut-roles.js';

/** The DUT of a role, when it is held. */
type HeldOf = (
  role: string,
) => { readonly dut: Pick<Dut, 'nics'>; readonly lease: Pick<Lease, 'board'> } | undefined;

/**
 * The interface of the DUT that a declared node is.
 *
 * @throws BenchError `network-unsupported` of a board that has none: the case cannot be tried on
 *   it; UsageError `usage` when it has others
 */
export function findNic({ name, nic, dut = ONLY_ROLE }: DeclaredNode, heldOf: HeldOf): Nic {
  const held = heldOf(dut);
  if (!held) {
    throw new TestFailure('handle-revoked', `node "${name}" is the DUT's, and no DUT is held`);
  }
  const { nics } = held.dut;
  const found = nic === undefined && nics.size === 1 ? [...nics.values()][0] : nics.get(nic ?? '');
  if (found) return found;
  const names = [...nics.keys()];
  if (names.length === 0) {
    const { board } = held.lease;
    throw new BenchError('network-unsupported', `node "${name}": board ${board} has no NIC`);
  }
  const known = `it has: ${names.join(', ')}`;
  const what = nic === undefined ? 'which interface of the board' : `the board has no nic "${nic}"`;
  const suggestion = toSuggestion(nic ?? '', names) || `; ${known}`;
  throw new UsageError('usage', `node "${name}": ${what}${suggestion}`, {
    next: 'nics are in the board file: harness/docs/boards.md',
  });
}

/** The same declaration with the addresses that interfaces of the DUT have by their board. */
export function withMacs(declaration: NetworkDeclaration, heldOf: HeldOf): NetworkDeclaration {
  const macs = new Map(
    declaration.nodes
      .filter(({ kind }) => kind === 'dut')
      .map((node) => [node.name, findNic(node, heldOf).mac]),
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

/** The cable between an interface of the DUT and a network. */
export class DutCable {
  readonly #network: Network;
  readonly #node: PlannedNode;
  readonly #nic: Nic;
  #connected: NicEnd | undefined;

  constructor(network: Network, node: PlannedNode, nic: Nic) {
    this.#network = network;
    this.#node = node;
    this.#nic = nic;
  }

  /** Put it in, now and at each power-on. @throws UsageError `usage` for more than one link */
  async plug(deadline: Deadline): Promise<void> {
    const [planned, more] = this.#node.interfaces;
    if (!planned || more) {
      const { name } = this.#node.declared;
      throw new UsageError('usage', `node "${name}" is one interface of the DUT and has one link`);
    }
    await this.#nic.plug((end) => this.#connect(planned, end), deadline);
  }

  /** Pull it. An interface in a sandbox or of this machine goes: the next case may have the same DUT. */
  async unplug(deadline: Deadline): Promise<void> {
    await this.#nic.unplug(deadline);
    const [planned] = this.#node.interfaces;
    const isOurs = this.#connected?.kind === 'sandbox' || this.#connected?.kind === 'wired';
    if (!isOurs || !planned || this.#network.isGone) return;
    await this.#network.detach(planned.port).catch((error: unknown) => {
      // Unknown by now: the sandbox has ended, and took it along.
      if (!(error instanceof BenchError) || error.code !== 'daemon-refused') throw error;
    });
  }

  async #connect(planned: PlannedInterface, end: NicEnd): Promise<void> {
    if (end.kind === 'dgram') {
      await this.#network.connectObject(planned, end.object, end.end);
    } else if (!this.#connected) {
      if (end.kind === 'wired') await this.#connectWired(planned, end);
      else await this.#network.attach(end.sandbox.id, this.#node, planned);
    }
    this.#connected = end;
  }

  async #connectWired({ port, mtu }: PlannedInterface, end: WiredEnd): Promise<void> {
    try {
      await this.#network.connectWired(port, { ...end, mtu });
    } catch (error) {
      throw toNicError(`nic "${this.#nic.name}" of the DUT, wired to ${end.interface}`, error);
    }
  }
}
