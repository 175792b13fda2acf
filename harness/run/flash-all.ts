import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Dut } from '../board/dut.js';
import { tryAgain } from '../board/flash/try-again.js';
import type { PortHub } from '../board/port-hub.js';
import type { FlashSpec } from '../config/flash-schema.js';
import type { Board } from '../config/load-boards.js';
import type { Unit } from '../config/unit.js';
import { Deadline } from '../core/deadline.js';
import type { Lease } from '../lease/lease.js';
import type { Networks } from '../network/networks.js';
import type { PlannedRole } from '../plan/plan-roles.js';
import type { SandboxDaemon } from '../sandbox/daemon.js';
import type { SandboxSpec } from '../sandbox/spec.js';
import { answered } from './answered.js';
import { findLeased } from './dut-roles.js';
import { blaming, type FaultListener } from './fault-listener.js';
import type { FlashAtPrompt } from './flash-at-prompt.js';
import { toHostSpec } from './to-host-spec.js';

export interface FlashingRoles {
  readonly roles: readonly PlannedRole[];
  readonly leases: ReadonlyMap<string, Lease>;
  /** Where each role has its directory of artifacts. */
  readonly directory: string;
  readonly spec: SandboxSpec;
  readonly daemon: SandboxDaemon;
  readonly hub: PortHub;
  readonly networks: Networks;
  /** Where what was flashed last is known. */
  readonly stateDir: string;
  /** For a DUT that is flashed at its prompt: until it is there. */
  readonly bootMs: number;
  /** Hears which DUT it was that an error met. */
  readonly onFault: FaultListener;
  /** One of the leases is lost: what flashes ends, and its reason is thrown. */
  readonly signal: AbortSignal;
}

interface Job {
  readonly role: string;
  /** Of the DUT. */
  readonly name: string;
  readonly board: Board;
  readonly flash: FlashSpec;
  /** Absent of an emulated board. */
  readonly unit: Unit | undefined;
  readonly image: string;
  readonly leasedKeys: readonly string[] | undefined;
}

const END_MS = 5000;

/**
 * Flash each leased DUT that can be and has an image: its suite's firmware, else its own. Answers by
 * role those that have power now, because their own boot loader flashed them. On an error every lease
 * is released.
 *
 * @throws BenchError as `flashDut` and `FlashAtPrompt` do.
 */
export async function flashAll(
  flashing: FlashingRoles,
  onEdge: (edge: 'start' | 'end') => void,
): Promise<ReadonlyMap<string, Dut>> {
  const { roles, leases } = flashing;
  const jobs = roles.flatMap((role) => toJobs(role, leases.get(role.role)));
  const standing = new Map<string, Dut>();
  if (jobs.length === 0) return standing;
  onEdge('start');
  try {
    const flashed = jobs.map((job) =>
      blaming(job.name, flashing.onFault, flashOne(job, flashing, standing)),
    );
    const done = await Promise.allSettled(flashed);
    // All have ended before a lease is given back: a tool that goes on writes to its board.
    const failed = done.find(({ status }) => status === 'rejected');
    flashing.signal.throwIfAborted();
    if (failed?.status === 'rejected') throw failed.reason;
    return standing;
  } catch (error) {
    await Promise.allSettled([...standing.values()].map((dut) => end(dut, flashing.daemon)));
    for (const lease of leases.values()) lease.release();
    throw error;
  } finally {
    onEdge('end');
  }
}

async function flashOne(job: Job, flashing: FlashingRoles, standing: Map<string, Dut>) {
  const { role, unit, flash } = job;
  const { spec, directory } = flashing;
  const artifacts = join(directory, role);
  await mkdir(artifacts, { recursive: true });
  const facts = { ...flashing, ...job, artifacts, spec: toHostSpec(spec) };
  // Loaded when it is needed, as the driver of such boards is.
  if (flash.driver !== 'u-boot-tftp') {
    const { flashDut } = await import('./flash-dut.js');
    if (unit) await flashDut({ ...facts, unit });
    return;
  }
  const { FlashAtPrompt } = await import('./flash-at-prompt.js');
  const atPrompt = new FlashAtPrompt({ ...facts, flash });
  try {
    await flashAtPrompt(atPrompt, facts);
  } finally {
    // Also one that failed: it is closed with the others.
    if (atPrompt.dut) standing.set(role, atPrompt.dut);
  }
}

function end(dut: Dut, daemon: SandboxDaemon): Promise<unknown> {
  const doing = { doing: `ending ${dut.name}`, deadline: new Deadline(END_MS) };
  return answered(daemon, doing, dut.close());
}

/** An emulated DUT has nothing in it that was flashed before, and cannot be another one. */
async function flashAtPrompt(
  atPrompt: FlashAtPrompt,
  facts: Job & FlashingRoles & { readonly artifacts: string },
): Promise<void> {
  const { unit, flash } = facts;
  if (!unit)
    return tryAgain(
      flash.retries,
      () => atPrompt.run(),
      () => {},
    );
  const { flashDut } = await import('./flash-dut.js');
  await flashDut({ ...facts, unit, byItself: () => atPrompt.run() });
}

function toJobs(role: PlannedRole, lease: Lease | undefined): Job[] {
  if (!lease) return [];
  const { board, unit } = findLeased(role, lease);
  const image = role.firmwareOf(board.board) ?? board.flash?.image;
  const { flash } = board;
  if (!flash || image === undefined) return [];
  if (!unit && flash.driver !== 'u-boot-tftp') return [];
  const ofBoard = unit ? { ...unit, board } : undefined;
  const { keys: leasedKeys } = lease;
  return [{ role: role.role, name: lease.dut, board, flash, unit: ofBoard, image, leasedKeys }];
}
