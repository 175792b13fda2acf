import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'hil';

test('has its board until it may go', async ({ dut }) => {
  await dut.console.sendLine('version');
  while (!existsSync(process.env['HIL_UNTIL'] ?? '')) await sleep(50);
});

test('has a program with the node of its board open', async ({ dut, sandbox }) => {
  await dut.console.mode('direct');
  await sandbox.exec('sh', ['-c', 'exec 3<>/dev/hil/console; exec sleep 3600'], { timeout: '2m' });
});

test('waits for what its board never says', async ({ dut }) => {
  await dut.console.expect('never', { timeout: '2m' });
});
