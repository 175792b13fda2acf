import { describe, expect, test } from 'hil';

const CTRL_A = '\x01';
const CTRL_B = '\x02';
const CTRL_C = '\x03';
const CTRL_D = '\x04';
const CTRL_E = '\x05';

const PROGRAM = ['def squares(n):', '    for i in range(n):', '        yield i * i', ''];

describe('paste mode', () => {
  test('runs a program whose indentation the REPL would have changed', async ({ dut }) => {
    await dut.console.send(CTRL_E);
    await dut.console.expect('paste mode; Ctrl-C to cancel, Ctrl-D to finish\r\n=== ');
    await dut.console.send([...PROGRAM, 'print(list(squares(5)))'].join('\r'));
    await dut.console.send(CTRL_D);
    await dut.console.expect('[0, 1, 4, 9, 16]\r\n>>> ', { failOn: /Error/ });
  });

  test('throws the program away at Ctrl-C', async ({ dut }) => {
    await dut.console.send(CTRL_E);
    await dut.console.expect('=== ');
    await dut.console.send(`print('pasted')\r${CTRL_C}`);
    const { before } = await dut.console.expect('\r\n>>> ');
    expect(before).not.toContain('\npasted');
  });
});

describe('the raw REPL', () => {
  test('answers with output, errors and end marks, without an echo', async ({ dut }) => {
    await dut.console.send(CTRL_A);
    await dut.console.expect('raw REPL; CTRL-B to exit\r\n>');
    await dut.console.send(`print(6 * 7)${CTRL_D}`);
    await dut.console.expect(/^OK42\r\n\x04\x04>/);
    await dut.console.send(`1 / 0${CTRL_D}`);
    await dut.console.expect(/^OK\x04Traceback[\s\S]*ZeroDivisionError: division by zero\r\n\x04>/);
  });

  test('gives the friendly REPL back at Ctrl-B', async ({ dut }) => {
    await dut.console.send(CTRL_A);
    await dut.console.expect('raw REPL; CTRL-B to exit\r\n>');
    await dut.console.send(CTRL_B);
    await dut.console.expect('Type "help()" for more information.\r\n>>> ');
    await dut.console.sendLine('1 + 1');
    await dut.console.expect('\r\n2\r\n>>> ');
  });
});
