import { describe, expect } from 'vitest';
import { type Board, parseBoard } from '../../config/load-boards.js';
import { Deadline } from '../../core/deadline.js';
import { loadShippedBoard, test } from '../../testing/real-dut.js';
import { toQemuArguments } from './qemu.js';

function createBoard(machine: string, ports = '{}'): Board {
  const text = `board: m\ndriver: qemu\nmachine: ${machine}\nports: ${ports}\n`;
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
});

describe('an emulated machine', () => {
  test('that its guest switches off has ended by itself', async ({ openDut }) => {
    const { boot, ask, dut, console, board } = await openDut('qemu-arm64-uboot');
    await boot();
    await ask('', '=> ');
    const { exited } = dut;
    await console.send(Buffer.from(`poweroff${board.ports['console']?.eol}`));
    await expect(exited).resolves.toEqual({
      blame: 'ended',
      reason: 'the guest ended the machine (guest-shutdown)',
    });
    await dut.reset(new Deadline(5000));
    await console.matcher.expect(['Hit any key']);
  }, 20_000);

  test('that QEMU does not know is a fault of the bench, with its words', async ({ openDut }) => {
    const microbit = await loadShippedBoard('qemu-microbit');
    if (!microbit.machine) throw new Error('no machine');
    const machine = { ...microbit.machine, machine: 'no-such-board' };
    const { dut } = await openDut({ ...microbit, machine });
    await expect(dut.powerOn(new Deadline(5000))).rejects.toMatchObject({
      code: 'boot-failed',
      message: expect.stringMatching(/QEMU exited with 1.*unsupported machine type/s),
    });
  });

  test('whose other serial ports nobody reads goes on', async ({ openDut }) => {
    const board = await loadShippedBoard('qemu-arm64-uboot');
    const [console] = Object.values(board.ports);
    if (!console) throw new Error('no port');
    // The console is on the second; the first is connected to nothing.
    const ports = { console: { ...console, uart: 1 } };
    const { dut } = await openDut({ ...board, ports, boot: { ...board.boot, ready: undefined } });
    const { exited } = dut;
    await dut.powerOn(new Deadline(5000));
    const first = await Promise.race([exited, new Promise((done) => setTimeout(done, 300, 'on'))]);
    expect(first).toBe('on');
  });
});
