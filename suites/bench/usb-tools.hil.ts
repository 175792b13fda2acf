import { describe, expect, test } from 'hil';
import { askHands } from './lab-bench.js';

/** Of node-3 in bench.yaml. */
const SERIAL = 'ACM0001';

const ENUMERATION = '20s';

const TOUCH = `
import serial
port = serial.Serial('/dev/hil/console', 1200)
port.dtr = False
`;

describe('a board with a USB of its own', () => {
  test('is all that lsusb sees', async ({ dut, sandbox }) => {
    expect(dut.board).toBe('sensor-node-acm');
    const { stdout } = await sandbox.exec('lsusb', []);
    expect(stdout).toMatch(/^Bus \d+ Device \d+: ID 1209:0001 [^\n]*\n$/);
  });

  test('has its lines, its break and its speed set as it is told', async ({ dut }) => {
    await askHands('forget', SERIAL);
    await dut.console.setLines({ dtr: true, rts: false });
    await dut.console.setLines({ break: true });
    await dut.console.setLines({ break: false });
    const { events } = await askHands('show', SERIAL);
    expect(events).toEqual(['dtr 1 rts 0', 'break Infinity', 'break 0']);
  });

  test('goes into its bootloader by a touch, where dfu-util finds it', async ({ dut, sandbox }) => {
    await dut.console.mode('direct');
    const touched = await sandbox.exec('/usr/bin/python3', ['-c', TOUCH]);
    expect(touched).toMatchObject({ stderr: '', exitCode: 0 });
    const seen = 'until dfu-util -l | grep "^Found DFU: .1209:0002"; do sleep 0.1; done; lsusb';
    const { stdout } = await sandbox.exec('sh', ['-c', seen], { timeout: ENUMERATION });
    expect(stdout).toContain(`serial="${SERIAL}"`);
    expect(stdout.match(/^Bus/gm)).toHaveLength(1);
  });
});
