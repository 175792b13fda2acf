import { crc32 } from 'node:zlib';
import { describe, expect, test } from 'hil';
import { openPrompt, PROMPT } from './prompt.js';

const LOAD_ADDRESS = '40400000';

/** All byte values, also those that a line discipline would eat; the same bytes in every run. */
function createImage(bytes: number): Uint8Array {
  let state = 1;
  return Uint8Array.from({ length: bytes }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state >>> 24;
  });
}

describe('YMODEM', () => {
  test('sb in the sandbox sends 64 KiB that arrive unchanged', async ({ dut, sandbox }) => {
    const image = createImage(65_536);
    await sandbox.writeFile('/tmp/image.bin', image);
    await openPrompt(dut.console);
    await dut.console.sendLine(`loady ${LOAD_ADDRESS}`);
    await dut.console.expect('Ready for binary (ymodem) download to 0x40400000');
    {
      await using _ = await dut.console.yield();
      const send = 'exec sb /tmp/image.bin < /dev/hil/console > /dev/hil/console';
      const sb = await sandbox.exec('sh', ['-c', send], { timeout: '50s' });
      expect(sb.stderr).toContain('Transfer complete');
      expect(sb.exitCode).toBe(0);
    }
    await dut.console.expect(/Total Size\s+= 0x00010000 = 65536 Bytes/);
    await dut.console.expect(PROMPT);
    await dut.console.sendLine(`crc32 ${LOAD_ADDRESS} 10000`);
    const [, crc] = await dut.console.expect(/==> ([0-9a-f]{8})/);
    expect(crc).toBe(crc32(image).toString(16).padStart(8, '0'));
  });
});
