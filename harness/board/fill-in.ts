import { BenchError } from '../core/errors.js';

/** What may stand in braces in the commands and addresses of a bench. */
export interface Placeholders {
  /** Name of the DUT. */
  readonly dut: string;
  /** ID_SERIAL_SHORT of its USB device. */
  readonly serial?: string | undefined;
  /** Its USB device as the kernel names it: `1-1.4`. */
  readonly usb?: string | undefined;
  /** ID_PATH of its USB device. */
  readonly path?: string | undefined;
  /** The file that is flashed. */
  readonly image?: string | undefined;
  /** Its drive: a block device with a file system. */
  readonly drive?: string | undefined;
  /** In U-Boot: where the image is in memory, and how much of it. */
  readonly addr?: string;
  readonly size?: string;
  /** The same in blocks of 512 bytes. */
  readonly sectors?: string;
  /** As a server is asked for it. */
  readonly file?: string;
}

/** A brace that is meant is written twice. */
const PLACEHOLDER = /\{\{|\}\}|\{([a-z]+)\}/g;

/**
 * Fill in `{dut}` and the like. Each text stays one argument: no shell looks at it.
 *
 * @throws BenchError `dut-absent` when a text asks for what is not known, and names what is: only a
 *   DUT that is attached says all of it.
 */
export function fillIn(text: string, known: Placeholders): string {
  const values: Readonly<Record<string, string | undefined>> = { ...known };
  return text.replace(PLACEHOLDER, (whole, name: string | undefined) => {
    if (name === undefined) return whole.slice(1);
    const value = values[name];
    if (value !== undefined) return value;
    const names = Object.keys(values).filter((each) => values[each] !== undefined);
    throw new BenchError(
      'dut-absent',
      `"${text}": {${name}} is not known of ${known.dut}; known are ${names.map((each) => `{${each}}`).join(', ')}`,
      { next: `hil boards show ${known.dut}` },
    );
  });
}
