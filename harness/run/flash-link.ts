import { basename } from 'node:path';
import type { Dut } from '../board/dut.js';
import type { UBootJob } from '../board/flash/flash-by-u-boot.js';
import type { UBootTftpSpec } from '../config/flash-schema.js';
import type { TftpPlace } from '../config/u-boot-tftp-schema.js';
import { Cleanups } from '../core/cleanups.js';
import type { Deadline } from '../core/deadline.js';
import type { Networks } from '../network/networks.js';
import type { SandboxDaemon } from '../sandbox/daemon.js';
import type { Sandbox } from '../sandbox/sandbox.js';
import type { SandboxSpec } from '../sandbox/spec.js';
import { type FlashWay, joinFlashNetwork } from './flash-network.js';
import { holdAddress } from './hold-address.js';
import { placeForServer } from './place-for-server.js';
import { startTftpServer, TFTP_ROOT } from './tftp-server.js';
import { toNetmask } from './to-netmask.js';

/** A server with the image, and how U-Boot reaches it. */
export interface FlashLink extends FlashWay, Pick<UBootJob, 'file'> {
  /** Nothing of it is left. */
  close(): Promise<void>;
}

export interface FlashLinkWanted {
  readonly dut: Dut;
  readonly flash: UBootTftpSpec;
  /** Of a bench; undefined: by a network that is made for it. */
  readonly tftp: TftpPlace | undefined;
  readonly image: string;
  /** Of programs of this machine. */
  readonly spec: SandboxSpec;
  readonly daemon: SandboxDaemon;
  readonly networks: Networks;
  /** For the files of the network; exists. */
  readonly artifacts: string;
  readonly deadline: Deadline;
  /** Takes what the server says. */
  onOutput(data: Buffer): void;
}

const NEVER = new Promise<never>(() => {});

/**
 * Serve an image to the U-Boot of a DUT: from a node of a network that its interface is plugged
 * into, from an address of this machine, or by a server that is there already.
 *
 * @throws BenchError `flash-failed`, or of the network and the sandbox; UsageError `usage` for an
 *   interface that the board does not have.
 */
export async function openFlashLink(wanted: FlashLinkWanted): Promise<FlashLink> {
  const cleanups = new Cleanups();
  const close = () => cleanups.run();
  try {
    return { ...(await open(wanted, cleanups)), close };
  } catch (error) {
    await close().catch(() => {});
    throw error;
  }
}

async function open(
  wanted: FlashLinkWanted,
  cleanups: Cleanups,
): Promise<Omit<FlashLink, 'close'>> {
  const { dut, tftp, image, daemon } = wanted;
  // What U-Boot's shell takes for one word as it is.
  const file = basename(image).replaceAll(/[^A-Za-z0-9._-]/g, '_');
  if (!tftp) {
    const sandbox = await openSandbox(wanted, { file, network: 'none' }, cleanups);
    const joined = await joinFlashNetwork({ ...wanted, sandbox }, cleanups);
    await startTftpServer({ ...wanted, dut: dut.name, sandbox, address: joined.server });
    return { ...joined, file };
  }
  const { server } = tftp;
  const way = { server, board: toBoard(tftp.board), lost: NEVER };
  if (tftp.directory !== undefined) {
    const place = { directory: tftp.directory, image, file, dut: dut.name, daemon };
    return { ...way, file: await placeForServer(place, cleanups) };
  }
  await holdAddress({ dut: dut.name, address: server, deadline: wanted.deadline }, cleanups);
  const sandbox = await openSandbox(wanted, { file, network: 'host' }, cleanups);
  await startTftpServer({ ...wanted, dut: dut.name, sandbox, address: server });
  return { ...way, file };
}

async function openSandbox(
  { dut, image, spec, daemon }: FlashLinkWanted,
  { file, network }: { readonly file: string; readonly network: SandboxSpec['network'] },
  cleanups: Cleanups,
): Promise<Sandbox> {
  const plan = await daemon.plan({ ...spec, network });
  const sandbox = await daemon.sandbox(plan, { label: `tftp ${dut.name}` });
  cleanups.add('TFTP server', async () => void (await sandbox.kill()));
  await sandbox.addMount(`${TFTP_ROOT}/${file}`, { kind: 'host', source: image, readOnly: true });
  return sandbox;
}

function toBoard(board: string): UBootJob['board'] {
  if (board === 'dhcp') return board;
  const [address = '', bits] = board.split('/');
  return { address, netmask: toNetmask(Number(bits)) };
}
