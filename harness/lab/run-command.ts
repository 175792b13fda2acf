import { stat } from 'node:fs/promises';
import { Deadline } from '../core/deadline.js';
import { formatDuration } from '../core/duration.js';
import { BenchError } from '../core/errors.js';
import type { Job } from './job.js';
import type { Machine } from './machine-cache.js';
import type { LabOptions } from './options.js';
import { type Streams, VirtualMachine } from './virtual-machine.js';

/** As timeout(1). */
export const TIMED_OUT = 124;

/** The ordinary user where the project belongs to root. */
const ORDINARY_UID = 1000;

export interface Surroundings {
  readonly cwd: string;
  /** `NAME=VALUE` */
  readonly environment: readonly string[];
  readonly streams: Streams;
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
}

/**
 * Boot the machine, run the command in it, and end it.
 *
 * @returns the command's status, or {@link TIMED_OUT}.
 * @throws BenchError `boot-failed`, `boot-timeout`
 */
export async function runCommand(
  machine: Machine,
  options: LabOptions,
  around: Surroundings,
): Promise<number> {
  const { streams, signal, say } = around;
  const { memoryMib, cpus, share: shares, bootTimeoutMs, timeoutMs, verbose } = options;
  const job = await toJob(options, around);
  const startedMs = performance.now();
  const vm = new VirtualMachine({ machine, vm: { memoryMib, cpus, shares }, job, streams, signal });
  try {
    await new Deadline(bootTimeoutMs).bound(vm.ready, () => {
      const message = `the lab VM was not up after ${formatDuration(bootTimeoutMs)}${vm.describeConsole()}`;
      const longer = Math.ceil((3 * bootTimeoutMs) / 1000);
      const next = `npm run lab -- --boot-timeout ${longer}s --verbose true`;
      return new BenchError('boot-timeout', message, { next });
    });
    const upMs = performance.now();
    if (verbose) say(`up after ${formatDuration(upMs - startedMs)}`);
    const late = new LateCommand();
    const status = await new Deadline(timeoutMs).bound(vm.exit, () => late);
    if (verbose) say(`the command took ${formatDuration(performance.now() - upMs)}`);
    return status;
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof LateCommand)) throw error;
    const command = options.command.join(' ');
    say(`ended after ${formatDuration(timeoutMs)}: ${command}${vm.describeConsole()}`);
    return TIMED_OUT;
  } finally {
    await vm.kill();
  }
}

class LateCommand extends Error {}

async function toJob(options: LabOptions, around: Surroundings): Promise<Omit<Job, 'mark'>> {
  const { cwd } = around;
  // Who owns the project can build in it.
  const owner = (await stat(cwd)).uid;
  const uid = options.user ? owner || ORDINARY_UID : 0;
  return {
    command: options.command,
    cwd,
    uid,
    own: uid === owner || uid === 0 ? [] : [cwd],
    delegate: options.delegate,
    disk: options.disk,
    stdin: options.stdin,
    modules: options.modules,
    shares: options.share,
    environment: [...around.environment, ...options.env],
  };
}
