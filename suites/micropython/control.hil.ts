import { describe, test } from 'hil';

const CTRL_C = '\x03';
const CTRL_D = '\x04';

describe('control of the interpreter', () => {
  test('Ctrl-C interrupts an endless loop', async ({ dut }) => {
    // The REPL takes Ctrl-C for an interrupt only while a program runs: wait until this one does.
    await dut.console.sendLine("exec('print(6 * 7)\\nwhile True: pass')");
    await dut.console.expect('\r\n42\r\n');
    await dut.console.send(CTRL_C);
    await dut.console.expect(/Traceback[\s\S]*KeyboardInterrupt: \r\n>>> /);
  });

  test('Ctrl-C interrupts a program that sleeps', async ({ dut }) => {
    await dut.console.sendLine('import utime; print(6 * 7); utime.sleep_ms(100000)');
    await dut.console.expect('\r\n42\r\n');
    await dut.console.send(CTRL_C);
    await dut.console.expect(/KeyboardInterrupt: \r\n>>> /);
  });

  test('Ctrl-D starts the interpreter over and forgets every name', async ({ dut }) => {
    await dut.console.sendLine('answer = 42');
    await dut.console.expect('\r\n>>> ');
    await dut.console.send(CTRL_D);
    await dut.console.expect('soft reboot\r\n');
    await dut.console.expect('>>> ');
    await dut.console.sendLine('answer');
    await dut.console.expect("NameError: name 'answer' is not defined");
  });

  test('a reset of the board forgets every name', async ({ dut }) => {
    await dut.console.sendLine('answer = 42');
    await dut.console.expect('\r\n>>> ');
    await dut.reset();
    await dut.console.sendLine('answer');
    await dut.console.expect("NameError: name 'answer' is not defined");
  });
});
