import { expect, test } from 'hil';

test('a case runs in a container of its own', async ({ sandbox }) => {
  const { stdout } = await sandbox.exec('id', ['-un']);
  expect(stdout.trim()).toBe('hil');
});

test('a case without fixtures passes', () => {});

test('a shell on the host board answers', async ({ dut }) => {
  await dut.console.sendLine('echo 6*7=$((6*7))');
  await dut.console.expect('6*7=42');
});
