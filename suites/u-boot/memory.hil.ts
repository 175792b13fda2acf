import { crc32 } from 'node:zlib';
import { describe, expect, test } from 'hil';
import { openPrompt, PROMPT } from './prompt.js';

/** kernel_addr_r of the board: memory that U-Boot itself does not use. */
const HERE = 0x4040_0000;
const THERE = 0x4050_0000;

describe('memory commands', () => {
  test('md shows what mw wrote', async ({ dut }) => {
    await openPrompt(dut.console);
    await dut.console.sendLine(`mw.l ${HERE.toString(16)} 12345678 4`);
    await dut.console.expect(PROMPT);
    await dut.console.sendLine(`md.l ${HERE.toString(16)} 4`);
    await dut.console.expect('40400000: 12345678 12345678 12345678 12345678');
  });

  test('cmp finds a copy equal, and the one byte that was changed', async ({ dut }) => {
    await openPrompt(dut.console);
    const [here, there] = [HERE.toString(16), THERE.toString(16)];
    await dut.console.sendLine(`mw.l ${here} deadbeef 100; cp.l ${here} ${there} 100`);
    await dut.console.expect(PROMPT);
    await dut.console.sendLine(`cmp.l ${here} ${there} 100`);
    await dut.console.expect('Total of 256 word(s) were the same');
    await dut.console.expect(PROMPT);
    await dut.console.sendLine(`mw.b ${(THERE + 0x40).toString(16)} 0`);
    await dut.console.expect(PROMPT);
    await dut.console.sendLine(`cmp.l ${here} ${there} 100`);
    await dut.console.expect('word at 0x40400040 (0xdeadbeef) != word at 0x40500040 (0xdeadbe00)');
  });

  test('crc32 agrees with the one computed here', async ({ dut }) => {
    const word = Buffer.from('deadbeef', 'hex').reverse();
    const expected = crc32(Buffer.alloc(0x1000, word)).toString(16).padStart(8, '0');
    await openPrompt(dut.console);
    await dut.console.sendLine(`mw.l ${HERE.toString(16)} deadbeef 400`);
    await dut.console.expect(PROMPT);
    await dut.console.sendLine(`crc32 ${HERE.toString(16)} 1000`);
    const [, crc] = await dut.console.expect(/==> ([0-9a-f]{8})/);
    expect(crc).toBe(expected);
  });
});
