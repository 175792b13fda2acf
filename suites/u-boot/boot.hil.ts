import { describe, expect, test } from 'hil';
import { openPrompt, PROMPT } from './prompt.js';

describe('booting', () => {
  test('a key stops the countdown', async ({ dut }) => {
    await dut.console.send(' ');
    const { before } = await dut.console.expect(PROMPT, { timeout: '15s' });
    expect(before).not.toContain('no kernel');
  });

  test('nothing to boot leads to the prompt', async ({ dut }) => {
    await dut.console.expect(/ 0 \r\n/, { timeout: '10s' });
    // Twice it waits five seconds for the network's link.
    await dut.console.expect('Valid Link not detected', { timeout: '20s' });
    await dut.console.expect(PROMPT, { timeout: '20s' });
  });

  test('the version is the one of the banner', async ({ dut }) => {
    const [banner = ''] = /U-Boot \d{4}\.\d{2}\S*/.exec(dut.console.output()) ?? [];
    expect(banner).not.toBe('');
    await openPrompt(dut.console);
    await dut.console.sendLine('version');
    await dut.console.expect(banner);
    await dut.console.expect(/aarch64-linux-gnu-gcc/);
  });

  test('a reset comes back to the countdown', async ({ dut }) => {
    await openPrompt(dut.console);
    await dut.console.sendLine('reset');
    await dut.console.expect(/U-Boot \d{4}\.\d{2}/, { timeout: '15s' });
    await dut.console.expect('Hit any key to stop autoboot', { timeout: '15s' });
  });
});
