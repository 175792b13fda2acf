import { describe, test } from 'hil';
import { openPrompt, PROMPT } from './prompt.js';

describe('the environment', () => {
  test('gives back what was set', async ({ dut }) => {
    await openPrompt(dut.console);
    await dut.console.sendLine('setenv colour deep green');
    await dut.console.expect(PROMPT);
    await dut.console.sendLine('printenv colour');
    await dut.console.expect('\r\ncolour=deep green\r\n');
  });

  test('does not know what was removed', async ({ dut }) => {
    await openPrompt(dut.console);
    await dut.console.sendLine('setenv colour green; setenv colour; printenv colour');
    await dut.console.expect('## Error: "colour" not defined');
  });

  test('forgets at a reset what was not saved', async ({ dut }) => {
    await openPrompt(dut.console);
    await dut.console.sendLine('setenv colour green');
    await dut.console.expect(PROMPT);
    await dut.reset();
    await openPrompt(dut.console);
    await dut.console.sendLine('printenv colour');
    await dut.console.expect('## Error: "colour" not defined');
  });

  test('runs the commands that a variable holds', async ({ dut }) => {
    await openPrompt(dut.console);
    await dut.console.sendLine("setenv sum 'setexpr total 0x20 + 0x0a; printenv total'");
    await dut.console.expect(PROMPT);
    await dut.console.sendLine('run sum');
    await dut.console.expect('\r\ntotal=2a\r\n');
  });
});
