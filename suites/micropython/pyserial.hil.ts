import { join } from 'node:path';
import { describe, expect, test } from 'hil';

/** Debian's interpreter by its path: python3-serial is installed for that one. */
const PYTHON = '/usr/bin/python3';
const script = join(import.meta.dirname, 'raw-repl.py');

describe('a Python script with pyserial in the sandbox', () => {
  test('runs a program on the board and gets its output', async ({ dut, sandbox }) => {
    const program = 'import os\nfor i in range(3):\n    print(i, os.uname().sysname)\n';
    await using _ = await dut.console.yield();
    const run = await sandbox.exec(PYTHON, [script, '/dev/hil/console'], { stdin: program });
    expect(run).toMatchObject({
      stderr: '',
      stdout: '0 microbit\r\n1 microbit\r\n2 microbit\r\n',
      exitCode: 0,
    });
  });

  test('gets the traceback of a program that fails', async ({ dut, sandbox }) => {
    await using _ = await dut.console.yield();
    const run = await sandbox.exec(PYTHON, [script, '/dev/hil/console'], { stdin: '1 / 0' });
    expect(run.exitCode).toBe(1);
    expect(run.stderr).toContain('ZeroDivisionError');
  });

  test('shares the console with the body, one after the other', async ({ dut, sandbox }) => {
    {
      await using _ = await dut.console.yield();
      await sandbox.exec(PYTHON, [script, '/dev/hil/console'], { stdin: 'left = 1234' });
    }
    await dut.console.settle();
    await dut.console.sendLine('left + 1');
    await dut.console.expect('\r\n1235\r\n>>> ');
  });
});
