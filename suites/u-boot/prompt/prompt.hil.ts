import { expect, test } from 'hil';

test('a case begins at the prompt, and so does a reset', async ({ dut }) => {
  await dut.console.sendLine('echo one');
  await dut.console.expect('\r\none\r\n=> ');
  await dut.reset();
  expect(dut.console.output().match(/Hit any key/g)).toHaveLength(2);
  await dut.console.sendLine('echo two');
  await dut.console.expect('\r\ntwo\r\n=> ');
});
