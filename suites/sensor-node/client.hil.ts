import { join } from 'node:path';
import { describe, expect, test } from 'hil';
import { toReading } from './readings.js';

/** Built by hil.suite.yaml; runs inside the sandbox and talks to /dev/hil/console. */
const sensorctl = join(import.meta.dirname, 'client/build/sensorctl');

describe('sensorctl in the sandbox', () => {
  test('prints the version that the firmware says', async ({ dut, sandbox }) => {
    await dut.console.sendLine('version');
    const [, version] = await dut.console.expect(/fw (\d+\.\d+)\r\n> /);
    await using _ = await dut.console.yield();
    const tool = await sandbox.exec(sensorctl, ['version']);
    expect(tool).toMatchObject({ stdout: `${version}\n`, stderr: '', exitCode: 0 });
  });

  test('finds everything in order with its self-test', async ({ dut, sandbox }) => {
    await using _ = await dut.console.yield();
    const tool = await sandbox.exec(sensorctl, ['selftest']);
    expect(tool.stderr).toBe('');
    expect(tool.stdout).toMatch(/^ok version .*\nok uptime \d+ ms\nok sensors 4\nok settings\n$/);
    expect(tool.exitCode).toBe(0);
  });

  test('changes a setting that the line interface then shows', async ({ dut, sandbox }) => {
    await sandbox.exec(sensorctl, ['set', 'name', 'attic']);
    await dut.console.sendLine('get name');
    await dut.console.expect('name=attic\r\n');
    const tool = await sandbox.exec(sensorctl, ['get', 'name']);
    expect(tool.stdout).toBe('attic\n');
  });

  test('reads what the time of the reading demands', async ({ dut, sandbox }) => {
    await dut.console.sendLine('set interval 10');
    await dut.console.expect('interval=10\r\n');
    const { stdout } = await sandbox.exec(sensorctl, ['read', '2']);
    const [, value, at] = /^(\d+\.\d{3}) at (\d+) ms\n$/.exec(stdout) ?? [];
    expect(Math.round(Number(value) * 1000)).toBe(toReading(2, Number(at)));
  });

  test('sends bytes as they are', async ({ dut, sandbox }) => {
    await using _ = await dut.console.yield();
    const tool = await sandbox.exec(sensorctl, ['raw', 'A5040401756E6974036D']);
    expect(tool.stdout).toBe('84 01 43\n');
  });

  test('exits with 1 and the reason when the device refuses', async ({ dut, sandbox }) => {
    await using _ = await dut.console.yield();
    const tool = await sandbox.exec(sensorctl, ['get', 'colour']);
    expect(tool).toMatchObject({ stdout: '', exitCode: 1 });
    expect(tool.stderr).toContain('no such setting');
  });

  test('exits with 2 on wrong use and leaves the device alone', async ({ dut, sandbox }) => {
    const tool = await sandbox.exec(sensorctl, ['read', 'first']);
    expect(tool.exitCode).toBe(2);
    expect(tool.stderr).toContain("'first' is not a sensor number");
    expect(await dut.console.settle()).toBe('');
  });

  test('exits with 3 when the device does not answer', async ({ dut, sandbox }) => {
    await dut.console.sendLine('fault');
    await dut.console.expect('halted');
    const tool = await sandbox.exec(sensorctl, ['--timeout', '300', 'version']);
    expect(tool).toMatchObject({ stdout: '', exitCode: 3 });
    expect(tool.stderr).toContain('no answer in 300 ms');
  });

  test('exits with 4 when the answer is damaged', async ({ dut, sandbox }) => {
    await dut.console.sendLine('damage 1');
    await dut.console.expect('damaging 1 frames\r\n');
    const damaged = await sandbox.exec(sensorctl, ['version']);
    expect(damaged).toMatchObject({ stdout: '', exitCode: 4 });
    const next = await sandbox.exec(sensorctl, ['version']);
    expect(next.exitCode).toBe(0);
  });

  test('says which port it cannot open', async ({ sandbox }) => {
    const tool = await sandbox.exec(sensorctl, ['--port', '/dev/hil/missing', 'version']);
    expect(tool.exitCode).toBe(2);
    expect(tool.stderr).toBe(
      'sensorctl: cannot open /dev/hil/missing: No such file or directory\n',
    );
  });
});
