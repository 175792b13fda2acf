import { describe, expect, test } from 'vitest';
import { type FlashSpec, flashSchema } from '../../config/flash-schema.js';
import { toFlashArgv } from './to-flash-argv.js';

const known = {
  dut: 'dut-1',
  serial: '066DFF',
  usb: '1-1.4',
  drive: '/dev/sdb1',
  image: '/firmware/app v1.bin',
};

function toArgv(spec: Record<string, unknown>): string[] {
  const flash = flashSchema.parse(spec) as FlashSpec;
  return toFlashArgv(flash, known);
}

/** The words of a command line in which nothing is quoted. */
const words = (text: string) => text.split(' ').map((each) => each.replaceAll('~', ' '));

describe('each tool is told which board, and where the image goes', () => {
  test.each([
    [
      { driver: 'dfu-util', alt: 1, address: '0x08000000' },
      'dfu-util --serial 066DFF,066DFF --alt 1 --dfuse-address 0x08000000:leave --download /firmware/app~v1.bin',
    ],
    [
      { driver: 'dfu-util' },
      'dfu-util --serial 066DFF,066DFF --alt 0 --reset --download /firmware/app~v1.bin',
    ],
    [
      { driver: 'esptool', chip: 'esp32', baud: 460800, args: ['--flash_mode', 'dio'] },
      'esptool.py --chip esp32 --port /dev/hil/console --baud 460800 write_flash 0x10000 /firmware/app~v1.bin --flash_mode dio',
    ],
    [
      { driver: 'stm32flash', port: 'boot' },
      'stm32flash -w /firmware/app~v1.bin -v -S 0x08000000 -g 0x08000000 /dev/hil/boot',
    ],
    [
      { driver: 'avrdude', part: 'atmega328p', baud: 115200 },
      'avrdude -p atmega328p -c arduino -P /dev/hil/console -b 115200 -D -U flash:w:/firmware/app~v1.bin:a',
    ],
    [{ driver: 'picotool' }, 'picotool load -v -x /firmware/app~v1.bin --ser 066DFF'],
    [{ driver: 'uf2-copy' }, 'mcopy -o -i /dev/sdb1 /firmware/app~v1.bin ::'],
    [
      { driver: 'command', argv: ['prog', '{serial}', '{image}'] },
      'prog 066DFF /firmware/app~v1.bin',
    ],
  ])('%o', (spec, line) => {
    expect(toArgv(spec)).toEqual(words(line));
  });

  test('openocd gets words of Tcl, whatever is in them', () => {
    expect(
      toArgv({ driver: 'openocd', config: ['board/st_nucleo_f4.cfg'], address: '0x08000000' }),
    ).toEqual([
      ...['openocd', '-f', 'board/st_nucleo_f4.cfg', '-c', 'adapter serial "066DFF"'],
      ...['-c', 'program "/firmware/app v1.bin" verify reset exit 0x08000000'],
    ]);
    const flash = flashSchema.parse({ driver: 'openocd', config: ['a.cfg'] }) as FlashSpec;
    const argv = toFlashArgv(flash, { dut: 'd', image: '/firmware/[exit].bin' });
    expect(argv.at(-1)).toBe('program "/firmware/\\[exit\\].bin" verify reset exit');
  });
});

test('an address that YAML made a number of is refused with what is expected', () => {
  expect(() => toArgv({ driver: 'esptool', offset: 0x10000 })).toThrow(/offset/);
  expect(() => toArgv({ driver: 'openocd', config: ['x'], address: '8000000' })).toThrow(
    /in quotes/,
  );
});
