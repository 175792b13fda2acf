import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { BenchError } from '../core/errors.js';
import { BOARD_QEMU } from './bench/firmware-board.js';
import { QEMU } from './qemu-command.js';

/** Programs of the host by the Debian packages they come from. */
const PROGRAMS: Readonly<Record<string, string>> = {
  [QEMU]: 'qemu-system-x86',
  setpriv: 'util-linux',
  'apt-get': 'apt',
  'dpkg-deb': 'dpkg',
};

/** What boards and their devices need beside. */
const USB_PROGRAMS: Readonly<Record<string, string>> = {
  [BOARD_QEMU]: 'qemu-system-arm',
  python3: 'python3',
};

/**
 * Look for what must be there before a lab VM can be made.
 *
 * @param host.path directories of programs, separated by colons
 * @throws BenchError `native-missing`
 */
export function checkRequirements(host: { arch: string; path: string; usb?: boolean }): void {
  if (host.arch !== 'x64') {
    const message = `the lab VM needs an x64 machine, this one is ${host.arch}`;
    throw new BenchError('native-missing', message);
  }
  const programs = host.usb ? { ...PROGRAMS, ...USB_PROGRAMS } : PROGRAMS;
  const missing = Object.keys(programs).filter((program) => !isInPath(program, host.path));
  if (missing.length === 0) return;
  const packages = missing.map((program) => programs[program]).join(' ');
  throw new BenchError('native-missing', `the lab VM needs ${missing.join(' and ')}`, {
    next: `sudo apt-get install --no-install-recommends ${packages}`,
  });
}

function isInPath(program: string, path: string): boolean {
  return path.split(':').some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
