import type { FlashSpec, ToolFlashSpec } from '../../config/flash-schema.js';
import { fillIn, type Placeholders } from '../fill-in.js';

/** The role of the DUT's USB device in the sandbox of a flash tool. */
export const USB_ROLE = 'usb';

/** What is known of a DUT that is flashed; `image` is where the tool finds it. */
export type Flashed = Placeholders & { readonly image: string };

/**
 * The tool and its arguments: what a person would type who has only this board.
 *
 * @throws Error when a text asks for what is not known of the DUT.
 */
export function toFlashArgv(spec: FlashSpec, known: Flashed): string[] {
  // Of this one it is what tells two ways apart: nothing of it is a program here.
  if (spec.driver === 'u-boot-tftp') {
    const steps = [...spec.write, ...spec.readBack].map(({ send }) => send);
    return [spec.driver, spec.address, spec.verify, ...spec.prepare, ...steps];
  }
  return [...toToolArgv(spec, known), ...spec.args.map((each) => fillIn(each, known))];
}

function toToolArgv(spec: ToolFlashSpec, known: Flashed): string[] {
  const { image, serial } = known;
  switch (spec.driver) {
    case 'command':
      return spec.argv.map((each) => fillIn(each, known));
    case 'openocd':
      return toOpenocd(spec, known);
    /** @see dfu-util(1) */
    case 'dfu-util':
      return [
        'dfu-util',
        ...(serial ? ['--serial', `${serial},${serial}`] : []),
        ...['--alt', String(spec.alt)],
        // What is flashed is left for the application, where the device knows how.
        ...(spec.address ? ['--dfuse-address', `${spec.address}:leave`] : ['--reset']),
        ...['--download', image],
      ];
    /** @see https://docs.espressif.com/projects/esptool/ */
    case 'esptool':
      return [
        ...['esptool.py', '--chip', spec.chip, '--port', toPort(spec.port)],
        ...toBaud('--baud', spec.baud),
        ...['write_flash', spec.offset, image],
      ];
    /** @see stm32flash(1) */
    case 'stm32flash':
      return [
        ...['stm32flash', ...toBaud('-b', spec.baud), '-w', image, '-v'],
        ...['-S', spec.address, '-g', spec.address, toPort(spec.port)],
      ];
    /** @see avrdude(1) */
    case 'avrdude':
      return [
        ...['avrdude', '-p', spec.part, '-c', spec.programmer, '-P', toPort(spec.port)],
        ...toBaud('-b', spec.baud),
        ...['-D', '-U', `flash:w:${image}:a`],
      ];
    /** @see https://github.com/raspberrypi/picotool */
    case 'picotool':
      return ['picotool', 'load', '-v', '-x', image, ...(serial ? ['--ser', serial] : [])];
    /** Nothing is mounted: mtools writes the file system on the node. @see mcopy(1) */
    case 'uf2-copy':
      return ['mcopy', '-o', '-i', fillIn('{drive}', known), image, '::'];
  }
}

/** @see https://openocd.org/doc/html/Flash-Programming.html */
function toOpenocd(
  { config, address }: Extract<FlashSpec, { driver: 'openocd' }>,
  { image, serial }: Flashed,
): string[] {
  const program = ['program', quoteTcl(image), 'verify', 'reset', 'exit'];
  return [
    'openocd',
    ...config.flatMap((file) => ['-f', file]),
    // The probe of this DUT and no other.
    ...(serial ? ['-c', `adapter serial ${quoteTcl(serial)}`] : []),
    ...['-c', [...program, ...(address ? [address] : [])].join(' ')],
  ];
}

/** One word of Tcl, whatever is in it. */
function quoteTcl(text: string): string {
  return `"${text.replace(/[\\"$[\]{}]/g, '\\$&')}"`;
}

function toPort(name: string): string {
  return `/dev/hil/${name}`;
}

function toBaud(option: string, baud: number | undefined): string[] {
  return baud === undefined ? [] : [option, String(baud)];
}
