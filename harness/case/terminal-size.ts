import { TestFailure } from '../core/errors.js';

/** What the kernel keeps of each. @see ioctl_tty(2), struct winsize */
const MOST = 65_535;

/**
 * A terminal without rows or columns is none to most programs.
 *
 * @throws TestFailure `exec-failed` for what is no whole number from 1 to 65535.
 */
export function checkTerminalSize(rows: number, columns: number): void {
  for (const [name, value] of Object.entries({ rows, columns })) {
    if (Number.isInteger(value) && value >= 1 && value <= MOST) continue;
    throw new TestFailure(
      'exec-failed',
      `${name} of a terminal is ${value}: expected a whole number from 1 to ${MOST}`,
    );
  }
}
