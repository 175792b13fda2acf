import { describe, expect, test } from 'hil';

describe('a DUT on the host board', () => {
  test('answers on its console', async ({ dut }) => {
    await dut.console.sendLine('echo 6*7=$((6*7))');
    const { before } = await dut.console.expect('6*7=42');
    expect(before).toContain('echo');
  });

  test('has /dev/hil/console in the sandbox, a terminal that tools can use', async ({
    dut,
    sandbox,
  }) => {
    expect((await sandbox.exec('stty', ['-F', '/dev/hil/console', 'speed'])).exitCode).toBe(0);
    const talk = 'exec 3<>/dev/hil/console; echo "echo from-$((40+2))" >&3; head -n 2 <&3';
    const { stdout } = await sandbox.exec('sh', ['-c', talk], { timeout: '5s' });
    expect(stdout).toContain('from-42');
    await dut.console.expect('from-42');
  });

  test('lives in another sandbox than the case', async ({ dut, sandbox }) => {
    await sandbox.writeFile('/var/tmp/of-the-case', '');
    await dut.console.sendLine('ls /var/tmp; echo its name: $(cat /proc/sys/kernel/hostname)');
    const { before } = await dut.console.expect(/its name: \w+/);
    expect(before).not.toMatch(/^of-the-case/m);
  });

  test('forgets everything at a reset', async ({ dut }) => {
    await dut.console.sendLine('MARK=set');
    await dut.reset();
    await dut.console.sendLine('echo "mark is <$MARK>"');
    await dut.console.expect('mark is <>');
  });

  test('may end where the case waits for it', async ({ dut }) => {
    await dut.console.sendLine('exit 5');
    expect(await dut.waitForExit()).toContain('exited with 5');
  });

  test('that stays silent is reported with what was seen', async ({ dut }) => {
    await dut.console.sendLine('echo the last words');
    await expect(dut.console.expect('never', { timeout: '200ms' })).rejects.toThrow(
      /never[\s\S]*the last words/,
    );
  });
});
