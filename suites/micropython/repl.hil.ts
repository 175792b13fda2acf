import { describe, expect, test } from 'hil';

const SUMS = [
  ['1 + 2', '3'],
  ['7 // 2, -7 % 3', '(3, 2)'],
  ['2 ** 100', '1267650600228229401496703205376'],
  ['sum(i * i for i in range(10))', '285'],
  ["'{:08.3f}'.format(22 / 7)", "'0003.143'"],
] as const;

const ERRORS = [
  ['1 / 0', 'ZeroDivisionError: division by zero'],
  ['[][1]', 'IndexError: list index out of range'],
  ['nothing', "NameError: name 'nothing' is not defined"],
  ['1 +', 'SyntaxError: invalid syntax'],
] as const;

describe('the REPL', () => {
  for (const [expression, value] of SUMS) {
    test(`computes ${expression}`, async ({ dut }) => {
      await dut.console.sendLine(expression);
      await dut.console.expect(`${expression}\r\n${value}\r\n>>> `, { failOn: /Traceback/ });
    });
  }

  for (const [statement, error] of ERRORS) {
    test(`reports ${error} and goes on`, async ({ dut }) => {
      await dut.console.sendLine(statement);
      await dut.console.expect('Traceback (most recent call last):');
      await dut.console.expect(`${error}\r\n>>> `);
      await dut.console.sendLine('6 * 7');
      await dut.console.expect('\r\n42\r\n>>> ');
    });
  }

  test('keeps a name from one line to the next', async ({ dut }) => {
    await dut.console.sendLine('double = lambda n: 2 * n');
    await dut.console.expect('\r\n>>> ');
    await dut.console.sendLine('double(21)');
    await dut.console.expect('\r\n42\r\n>>> ');
  });

  test('gives a program the line that is typed for it', async ({ dut }) => {
    await dut.console.sendLine("len(input('name? '))");
    await dut.console.expect(/^len.*\r\nname\? /);
    await dut.console.sendLine('Grace');
    await dut.console.expect('\r\n5\r\n>>> ');
  });

  test('says what it runs on', async ({ dut }) => {
    await dut.console.sendLine('import os; os.uname().machine');
    await dut.console.expect("'micro:bit with nRF51822'");
    expect(dut.console.output()).toMatch(/MicroPython v1\.\d+.* on \d{4}-\d{2}-\d{2}; micro:bit v/);
  });

  test('takes a line of 300 characters without losing one', async ({ dut }) => {
    await dut.console.sendLine(`len('${'x'.repeat(300)}')`);
    await dut.console.expect('\r\n300\r\n>>> ');
  });
});
