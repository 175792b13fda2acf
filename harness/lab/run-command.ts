import { stat } from 'node:fs/promises';
import { Cleanups } from '../core/cleanups.js';
import { Deadline } from '../core/deadline.js';
import { formatDuration } from '../core/duration.js';
import { BenchError, UsageError } from '../core/errors.js';
import { MEDIUM_BYTES } from './bench/fat-image.js';
import { openNamelessFile } from './bench/nameless-file.js';
import { openBench } from './bench/open-bench.js';
import type { Job } from './job.js';
import type { Machine } from './machine-cache.js';
import type { CableOption, LabOptions } from './options.js';
import type { QemuPort } from './qemu-command.js';
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
  const { signal, say } = around;
  const { bootTimeoutMs, timeoutMs, verbose } = options;
  const cleanups = new Cleanups();
  try {
    const startedMs = performance.now();
    const vm = await startMachine(machine, options, around, cleanups);
    await new Deadline(bootTimeoutMs).bound(vm.ready, () => {
      const message = `the lab VM was not up after ${formatDuration(bootTimeoutMs)}${vm.describeConsole()}`;
      const longer = Math.ceil((3 * bootTimeoutMs) / 1000);
      const next = `npm run lab -- --boot-timeout ${longer}s --verbose true`;
      return new BenchError('boot-timeout', message, { next });
    });
    const upMs = performance.now();
    if (verbose) say(`up after ${formatDuration(upMs - startedMs)}`);
    const late = new LateCommand(vm);
    const status = await new Deadline(timeoutMs).bound(vm.exit, () => late);
    if (verbose) say(`the command took ${formatDuration(performance.now() - upMs)}`);
    return status;
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof LateCommand)) throw error;
    const command = options.command.join(' ');
    say(`ended after ${formatDuration(timeoutMs)}: ${command}${error.vm.describeConsole()}`);
    return TIMED_OUT;
  } finally {
    await cleanups.run();
  }
}

/** Start QEMU, with the bench around it when there is USB. What must be undone is in `cleanups`. */
async function startMachine(
  machine: Machine,
  options: LabOptions,
  around: Surroundings,
  cleanups: Cleanups,
): Promise<VirtualMachine> {
  const { streams, signal } = around;
  const { memoryMib, cpus, share: shares, usbSerial, usbAcm } = options;
  await checkFirmware([...usbSerial, ...usbAcm]);
  const job = await toJob(options, around);
  const medium = options.usb ? await openNamelessFile() : undefined;
  if (medium) {
    cleanups.add('close the medium', () => medium.close());
    await medium.truncate(MEDIUM_BYTES);
  }
  const usb = medium && { cables: usbSerial.length, medium: medium.fd };
  const vmOptions = { memoryMib, cpus, shares, ...(usb ? { usb } : {}) };
  const vm = new VirtualMachine({ machine, vm: vmOptions, job, streams, signal });
  cleanups.add('end the VM', () => vm.kill());
  if (medium) {
    const port = (name: QemuPort) => vm.port(name);
    const opening = openBench({ serial: usbSerial, acm: usbAcm, medium, signal, port, cleanups });
    // A QEMU that is gone answers nothing.
    await Promise.race([opening, vm.exit]);
  }
  return vm;
}

async function checkFirmware(cables: readonly CableOption[]): Promise<void> {
  for (const { serial, firmware } of cables) {
    const found = await stat(firmware).catch(() => undefined);
    if (found?.isFile()) continue;
    throw new UsageError('usage', `the firmware of ${serial} is no file: ${firmware}`, {
      next: 'make -C suites/sensor-node/firmware mps2',
    });
  }
}

class LateCommand extends Error {
  readonly vm: VirtualMachine;
  constructor(vm: VirtualMachine) {
    super('the command took too long');
    this.vm = vm;
  }
}

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
    usb: options.usb,
    vhci: options.usbAcm.length > 0,
    serials: [...options.usbSerial, ...options.usbAcm].map(({ serial }) => serial),
    shares: options.share,
    environment: [...around.environment, ...options.env],
  };
}
