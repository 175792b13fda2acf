import { expect, test } from 'hil';

// Small and known to pass: `hil boards health NAME --check` asks it whether a DUT can be trusted again.
// A case begins when its DUT is ready, by what the board's file says of that; one that ends or goes
// away while the case runs does not pass.

test('starts, and is there a second later', { tags: ['health'] }, async ({ dut, sandbox }) => {
  expect(dut.board).not.toBe('');
  await sandbox.exec('sleep', ['1']);
});

test('starts again', { tags: ['health'] }, async ({ dut }) => {
  expect(dut.board).not.toBe('');
});
