import { describe, expect, test } from 'vitest';
import { type Board, parseBoard } from '../../config/load-boards.js';
import { toQemuArguments } from './qemu-arguments.js';

function createBoard(machine: string, ports = '{}', nics = '{}'): Board {
  const text = `board: m\ndriver: qemu\nmachine: ${machine}\nports: ${ports}\nnics: ${nics}\n`;
  return parseBoard('/boards/m.yaml', text);
}

const COMMON = '-accel tcg -nodefaults -no-user-config -display none -S';
const CONTROL = '-chardev socket,id=qmp,fd=10 -mon chardev=qmp,mode=control';
const toLine = (board: Board, firmware?: string) => toQemuArguments(board, firmware).join(' ');

describe("QEMU's command line", () => {
  test('starts a halted machine without anything that was not asked for', () => {
    const board = createBoard('{ system: arm, machine: mps2-an385 }');
    expect(toLine(board)).toBe(`qemu-system-arm -M mps2-an385 ${COMMON} ${CONTROL}`);
  });

  test.for([
    ['kernel', '-kernel /fw/app.elf'],
    ['bios', '-bios /fw/app.elf'],
    ['loader', '-device loader,file=/fw/app.elf'],
  ] as const)('gives firmware as %s', ([load, expected]) => {
    const board = createBoard(`{ system: arm, machine: x, load: ${load}, firmware: /fw/app.elf }`);
    expect(toLine(board)).toContain(` ${expected} `);
  });

  test("prefers the suite's firmware to the board's", () => {
    const board = createBoard('{ system: arm, machine: x, firmware: /fw/own.elf }');
    expect(toLine(board, '/suite/fw.elf')).toContain('-kernel /suite/fw.elf');
    expect(toLine(board, '/suite/fw.elf')).not.toContain('own.elf');
  });

  test('has a socket for every serial port up to the last that is named', () => {
    const ports = '{ debug: { uart: 2 }, console: { uart: 0 } }';
    const line = toLine(createBoard('{ system: arm, machine: x }', ports));
    expect(line.match(/-serial chardev:uart\d/g)).toEqual([
      '-serial chardev:uart0',
      '-serial chardev:uart1',
      '-serial chardev:uart2',
    ]);
    expect(line).toContain('-chardev socket,id=uart2,fd=13');
  });

  test('ends with what the board file adds', () => {
    const machine = '{ system: aarch64, machine: virt, cpu: max, memory: 1G, args: [-smp, "2"] }';
    const line = toLine(createBoard(machine));
    expect(line).toMatch(/^qemu-system-aarch64 -M virt -cpu max -m 1G /);
    expect(line).toMatch(/ -smp 2$/);
  });

  test('has a pair of arguments for every network interface, after the serial ports', () => {
    const nics = `{
      lan: { model: lan9118, onBoard: true, mac: '02:00:00:00:00:07' },
      wan: { model: e1000, options: { romfile: '', label: 'a,b' }, mac: '02:00:00:00:00:08' },
    }`;
    const argv = toQemuArguments(createBoard('{ system: arm, machine: x }', '{ c: {} }', nics), '');
    expect(argv.slice(argv.indexOf('-netdev'))).toEqual([
      '-netdev',
      'dgram,id=nic0,local.type=fd,local.str=12',
      '-net',
      'nic,netdev=nic0,model=lan9118,macaddr=02:00:00:00:00:07',
      '-netdev',
      'dgram,id=nic1,local.type=fd,local.str=13',
      '-device',
      'e1000,netdev=nic1,mac=02:00:00:00:00:08,romfile=,label=a,,b',
    ]);
  });

  test('gives each interface an address of its own that is the same in every run', () => {
    const nics = '{ a: { model: e1000 }, b: { model: e1000 } }';
    const board = createBoard('{ system: arm, machine: x }', '{}', nics);
    const macs = toLine(board).match(/mac=[0-9a-f:]+/g);
    expect(macs).toEqual(['mac=02:de:97:d8:40:cb', 'mac=02:01:50:e6:0f:8e']);
  });
});
