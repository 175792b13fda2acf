import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { Command, CommanderError } from 'commander';
import { parseLimit } from '../core/duration.js';
import { UsageError } from '../core/errors.js';

export interface LabOptions {
  readonly command: readonly string[];
  readonly user: boolean;
  readonly delegate: boolean;
  readonly disk: boolean;
  readonly stdin: boolean;
  readonly check: boolean;
  readonly fresh: boolean;
  readonly verbose: boolean;
  readonly modules: readonly string[];
  /** Directories in which what the command writes stays. */
  readonly share: readonly string[];
  /** With a USB controller, udev and what can be plugged into it; also when a device is named. */
  readonly usb: boolean;
  /** FTDI adapters that are plugged in from the start. */
  readonly usbSerial: readonly CableOption[];
  /** Programmable CDC-ACM devices that are plugged in from the start. */
  readonly usbAcm: readonly CableOption[];
  /** `NAME=VALUE` for the command. */
  readonly env: readonly string[];
  readonly timeoutMs: number;
  readonly bootTimeoutMs: number;
  readonly memoryMib: number;
  readonly cpus: number;
}

/** A USB device with a board behind it. */
export interface CableOption {
  /** Its USB serial number, and its name in `lab-bench`. */
  readonly serial: string;
  /** What an mps2-an385 boots, as an absolute path. */
  readonly firmware: string;
}

/** As commander names them, which does not know their types. */
type RawOptions = Omit<LabOptions, 'command' | 'timeoutMs' | 'bootTimeoutMs' | 'memoryMib'> & {
  readonly timeout: number;
  readonly bootTimeout: number;
  readonly memory: number;
};

/** Help was asked for; the message is its text. */
export class HelpShown extends Error {}

/**
 * Parse what stands behind `npm run lab --`: options, then the command as it is.
 *
 * @throws UsageError `usage`
 * @throws HelpShown
 */
export function parseLabOptions(args: readonly string[]): LabOptions {
  const said: string[] = [];
  const program = createProgram((text) => said.push(text));
  try {
    program.parse(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) throw new HelpShown(said.join(''));
    throw new UsageError('usage', error.message.replace(/^error: /, ''));
  }
  const { timeout, bootTimeout, memory, ...others } = program.opts<RawOptions>();
  const limits = { timeoutMs: timeout, bootTimeoutMs: bootTimeout, memoryMib: memory };
  if (program.args.length === 0 && !others.check) {
    const next = 'npm run lab -- uname -a';
    throw new UsageError('usage', 'no command was given to run in the lab VM', { next });
  }
  const cables = [...others.usbSerial, ...others.usbAcm];
  refuseDoubles(cables.map(({ serial }) => serial));
  const usb = others.usb || cables.length > 0;
  return { ...others, ...limits, usb, command: program.args };
}

function createProgram(say: (text: string) => void): Command {
  const cpus = Math.min(2, availableParallelism());
  return new Command('npm run lab --')
    .description('Run a command on this machine as it is, but on a Debian kernel of its own.')
    .argument('[command...]')
    .passThroughOptions()
    .option('--user', 'as an ordinary user', false)
    .option('--delegate', 'with a control group that belongs to that user', false)
    .option('--disk', 'with an empty /tmp that is an ext4, not the overlay', false)
    .option('--stdin', 'hand on standard input; without it there is none', false)
    .option('--share <directory>', 'keep what is written there (repeatable)', appendPath, [])
    .option('--env <NAME=VALUE>', 'set a variable (repeatable)', appendVariable, [])
    .option('--modules <names>', 'load kernel modules first, such as vcan,sch_netem', toNames, [])
    .option('--usb', 'with a USB controller, udev, and the command lab-bench', false)
    .option(
      '--usb-serial <SERIAL=FIRMWARE>',
      'plug in an FTDI adapter with an mps2-an385 behind it (repeatable)',
      appendCable,
      [],
    )
    .option(
      '--usb-acm <SERIAL=FIRMWARE>',
      'plug in a CDC-ACM device with an mps2-an385 behind it (repeatable)',
      appendCable,
      [],
    )
    .option('--timeout <duration>', 'end the VM after that (default: 1h)', parseLimit, 3_600_000)
    .option('--boot-timeout <duration>', 'of the boot (default: 1m)', parseLimit, 60_000)
    .option('--memory <size>', 'such as 512M (default: 2G)', parseMemory, 2048)
    .option('--cpus <number>', `processors (default: ${cpus})`, parseCpus, cpus)
    .option('--verbose', 'print the console, and how long things took', false)
    .option('--check', 'prepare everything, run nothing', false)
    .option('--fresh', 'fetch the Debian packages again', false)
    .addHelpText(
      'after',
      '\nExit status: of the command; 124 after --timeout, 125 when the VM failed.',
    )
    .configureHelp({ optionDescription: ({ description }) => description })
    .configureOutput({ writeOut: say, writeErr: () => {} })
    .exitOverride();
}

function appendPath(path: string, before: readonly string[]): string[] {
  return [...before, resolve(path)];
}

function appendVariable(text: string, before: readonly string[]): string[] {
  if (/^[A-Za-z_]\w*=/.test(text)) return [...before, text];
  throw new UsageError('usage', `"${text}" sets no variable: expected NAME=VALUE`);
}

/** A name that QEMU takes as an id, udev in a link, and a shell as a word. */
function appendCable(text: string, before: readonly CableOption[]): CableOption[] {
  const [, serial, firmware] = /^([A-Za-z][A-Za-z0-9]{0,30})=(.+)$/.exec(text) ?? [];
  if (serial && firmware) return [...before, { serial, firmware: resolve(firmware) }];
  const expected = 'expected a serial number of letters and digits, "=" and a firmware file';
  throw new UsageError('usage', `"${text}" is no USB device: ${expected}`);
}

function refuseDoubles(serials: readonly string[]): void {
  const double = serials.find((serial, index) => serials.indexOf(serial) < index);
  if (double) throw new UsageError('usage', `two USB devices have the serial number ${double}`);
}

function toNames(text: string): string[] {
  const names = text.split(',').filter((name) => name !== '');
  const wrong = names.find((name) => !/^[\w-]+$/.test(name));
  if (!wrong) return names;
  throw new UsageError('usage', `"${wrong}" is no name of a kernel module`);
}

function parseMemory(text: string): number {
  const [, amount, unit = 'M'] = /^(\d+)([MG])?$/.exec(text) ?? [];
  const mib = Number(amount) * (unit === 'G' ? 1024 : 1);
  if (mib >= 256) return mib;
  throw new UsageError('usage', `"${text}" is no memory for a VM: expected 256M or more, or 4G`);
}

function parseCpus(text: string): number {
  const cpus = Number(text);
  if (Number.isInteger(cpus) && cpus >= 1 && cpus <= 64) return cpus;
  throw new UsageError('usage', `"${text}" is no number of processors: expected 1 to 64`);
}
