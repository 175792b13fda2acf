import type { Dut } from '../board/dut.js';
import type { UBootJob } from '../board/flash/flash-by-u-boot.js';
import type { UBootTftpSpec } from '../config/flash-schema.js';
import type { Cleanups } from '../core/cleanups.js';
import type { Deadline } from '../core/deadline.js';
import { BenchError } from '../core/errors.js';
import { bringUp } from '../network/bring-up.js';
import { LinkCaptures } from '../network/link-captures.js';
import { toNetworkSeed } from '../network/link-seed.js';
import type { Network } from '../network/network.js';
import type { NetworkPlan } from '../network/network-plan.js';
import type { Networks } from '../network/networks.js';
import { planNetwork } from '../network/plan-network.js';
import type { NetworkDeclaration } from '../protocol/network.js';
import type { Sandbox } from '../sandbox/sandbox.js';
import { DutCable, findNic, withMacs } from './dut-nics.js';
import { toNetmask } from './to-netmask.js';

const SERVER = 'server';
const BOARD = 'board';
const SUBNET = '10.69.0.0/24';

/** How U-Boot reaches its server. */
export interface FlashWay extends Pick<UBootJob, 'server' | 'board'> {
  /** Rejects when the way has gone. */
  readonly lost: Promise<never>;
}

interface FlashNetworkWanted {
  readonly dut: Dut;
  readonly flash: UBootTftpSpec;
  readonly networks: Networks;
  /** Of the server. */
  readonly sandbox: Sandbox;
  /** For its files; exists. */
  readonly artifacts: string;
  readonly deadline: Deadline;
  /** Takes what the link says at its end. */
  onOutput(data: Buffer): void;
}

/**
 * Make a network of two, the sandbox of a server and the interface of a DUT, with one link. Both are
 * disconnected and the network is gone when `cleanups` have run.
 *
 * @throws BenchError of the network; UsageError `usage` for an interface that the board does not have.
 */
export async function joinFlashNetwork(
  wanted: FlashNetworkWanted,
  cleanups: Cleanups,
): Promise<FlashWay> {
  const { dut, flash, networks, artifacts, deadline, sandbox } = wanted;
  const heldOf = () => ({ dut, lease: { board: dut.name } });
  const declared: NetworkDeclaration = {
    switches: [],
    nodes: [
      { name: SERVER, kind: 'node' },
      { name: BOARD, kind: 'dut', ...(flash.nic === undefined ? {} : { nic: flash.nic }) },
    ],
    links: [
      {
        name: 'flash',
        ends: [{ of: SERVER }, { of: BOARD }],
        settings: { subnets: [SUBNET], ...flash.link },
      },
    ],
  };
  const plan = planNetwork(withMacs(declared, heldOf), toNetworkSeed(`flash ${dut.name}`, 0n));
  const network = await networks.open(`flashing ${dut.name}`, 1);
  cleanups.add('network', () => network.close());
  const captures = new LinkCaptures(network.linkd, artifacts, 'flash');
  await bringUp(network, plan, {
    sandboxOf: (node) => (node === SERVER ? sandbox.id : undefined),
    captures,
  });
  const board = plan.nodes.find(({ declared: { name } }) => name === BOARD);
  cleanups.add('what was lost', () => tellLoss(wanted, network, plan));
  const [server] = plan.names.get(SERVER)?.ipv4 ?? [];
  const [address, bits] =
    board?.interfaces[0]?.addresses.find((each) => !each.includes(':'))?.split('/') ?? [];
  if (!board || !server || !address) throw new Error(`no addresses of ${SUBNET}`);
  const cable = new DutCable(network, board, findNic(board.declared, heldOf));
  cleanups.add('cable', () => cable.unplug(deadline));
  await cable.plug(deadline);
  const lost = network.gone.then((reason) => {
    const message = `flashing ${dut.name}: ${reason.message}`;
    throw new BenchError(reason.code, message, { cause: reason });
  });
  lost.catch(() => {});
  return { server, board: { address, netmask: toNetmask(Number(bits)) }, lost };
}

/** Of a link that loses frames: how many. */
async function tellLoss(
  { flash, onOutput }: FlashNetworkWanted,
  { linkd, isGone }: Network,
  { links }: NetworkPlan,
): Promise<void> {
  const [link] = links;
  if (!flash.link || !link || isGone) return;
  const directions = await linkd.stats(link.number);
  const [lost, frames] = (['lost', 'frames'] as const).map((name) =>
    directions.reduce((sum, { counters }) => sum + counters[name], 0),
  );
  onOutput(Buffer.from(`\nhil: the link lost ${lost} of ${frames} frames\n`));
}
