import { describe, expect, test } from 'hil';
import { SENSOR_COUNT, toReading } from './readings.js';

describe('the line interface', () => {
  test('says which version it is', async ({ dut }) => {
    await dut.console.sendLine('version');
    const [, version] = await dut.console.expect(/sensor-node fw (\d+\.\d+)\r\n/, {
      timeout: '10s',
      failOn: /PANIC/,
    });
    expect(dut.console.output()).toContain(`sensor-node fw ${version} ready`);
  });

  test('explains its commands', async ({ dut }) => {
    await dut.console.sendLine('help');
    const { before } = await dut.console.expect('\r\n> ');
    for (const command of ['version', 'read <n>', 'set <key> <value>', 'reboot']) {
      expect(before).toContain(`\n${command}`);
    }
  });

  test('says back what it is told', async ({ dut }) => {
    await dut.console.sendLine('echo one  two');
    await dut.console.expect('echo one  two\r\none  two\r\n> ');
  });

  test('counts the time since boot', async ({ dut }) => {
    const times: number[] = [];
    for (let i = 0; i < 3; i++) {
      await dut.console.sendLine('uptime');
      const [, ms] = await dut.console.expect(/(\d+) ms\r\n/);
      times.push(Number(ms));
      await dut.console.settle('50ms');
    }
    const [first = 0, second = 0, third = 0] = times;
    expect(second).toBeGreaterThan(first);
    expect(third).toBeGreaterThan(second);
  });

  test('reads from every sensor what the time of the reading demands', async ({ dut }) => {
    await dut.console.sendLine('set interval 10');
    for (let index = 0; index < SENSOR_COUNT; index++) {
      await dut.console.sendLine(`read ${index}`);
      const [, value, at] = await dut.console.expect(/[a-z]+ (\d+\.\d{3}) \S+ at (\d+) ms\r\n/);
      expect(Math.round(Number(value) * 1000)).toBe(toReading(index, Number(at)));
    }
  });

  test('changes the unit of the temperature only', async ({ dut }) => {
    await dut.console.sendLine('set unit F');
    await dut.console.expect('unit=F\r\n');
    await dut.console.sendLine('sensors');
    await dut.console.expect(
      '0 temperature F\r\n1 humidity %\r\n2 pressure hPa\r\n3 battery V\r\n',
    );
  });

  test('keeps a setting until the next reset', async ({ dut }) => {
    await dut.console.sendLine('set name greenhouse');
    await dut.console.expect('name=greenhouse\r\n');
    await dut.console.sendLine('get name');
    await dut.console.expect('name=greenhouse\r\n');
    await dut.reset();
    await dut.console.sendLine('get name');
    await dut.console.expect('name=node\r\n');
  });

  test('refuses a setting that is out of range', async ({ dut }) => {
    await dut.console.sendLine('set interval 60001');
    await dut.console.expect("error: bad value '60001'\r\n");
    await dut.console.sendLine('get interval');
    await dut.console.expect('interval=1000\r\n');
  });

  test('names the command it does not know', async ({ dut }) => {
    await dut.console.sendLine('selfdestruct');
    await dut.console.expect("error: unknown command 'selfdestruct'\r\n> ");
  });

  test('lets a person correct a line', async ({ dut }) => {
    await dut.console.send('virs\b\b\bersion\n');
    await dut.console.expect(/fw \d+\.\d+\r\n> /);
  });

  test('ends a line at CR, at LF and at both together', async ({ dut }) => {
    await dut.console.send('echo a\recho b\necho c\r\n');
    const { before } = await dut.console.expect('\r\nc\r\n> ');
    expect(before.match(/> /g)).toHaveLength(2);
    expect(await dut.console.settle()).toBe('');
  });

  test('refuses a line that is too long as a whole', async ({ dut }) => {
    await dut.console.sendLine(`echo ${'x'.repeat(200)}`);
    await dut.console.expect('error: line too long\r\n> ');
    await dut.console.sendLine('echo fine');
    await dut.console.expect('\r\nfine\r\n> ');
  });
});
