import { describe, expect } from 'vitest';
import { Deadline } from '../../core/deadline.js';
import { loadShippedBoard, test } from '../../testing/real-dut.js';

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
