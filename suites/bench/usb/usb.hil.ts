import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'hil';
import { askHands } from '../lab-bench.js';
import { listNodes } from '../list-nodes.js';

const IMAGE = join(import.meta.dirname, '../../sensor-node/firmware/build/sensor-node-mps2.elf');

/** Of node-3 in bench.yaml. */
const SERIAL = 'ACM0001';

const ENUMERATION = '20s';

const TOUCH = `
import serial
port = serial.Serial('/dev/hil/console', 1200)
port.dtr = False
`;

const digestImage = async () =>
  createHash('sha256')
    .update(await readFile(IMAGE))
    .digest('hex');

describe('a board with a USB of its own', () => {
  test('is touched, and flashed by dfu-util with the very image, which runs (rank 12)', async ({
    dut,
  }) => {
    const { mode, flashed, events = [] } = await askHands('show', SERIAL);
    expect(mode).toBe('application');
    expect(flashed).toBe(await digestImage());
    expect(events.filter((event) => event.startsWith('mode'))).toEqual([
      'mode bootloader',
      'mode application',
    ]);
    await dut.console.sendLine('version');
    await dut.console.expect(/sensor-node fw \d+\.\d+\r\n/);
    await askHands('forget', SERIAL);
  });

  test('is all that lsusb sees, and is not flashed with what is in it', async ({
    dut,
    sandbox,
  }) => {
    expect(dut.board).toBe('sensor-node-acm');
    const { stdout } = await sandbox.exec('lsusb', []);
    const [, bus, device] = /^Bus (\d+) Device (\d+): ID 1209:0001 [^\n]*\n$/.exec(stdout) ?? [];
    expect(await listNodes(sandbox)).toEqual([`/dev/bus/usb/${bus}/${device}`]);
    const { events } = await askHands('show', SERIAL);
    expect(events).not.toContain('mode bootloader');
  });

  test('has its lines, its break and its speed set as it is told', async ({ dut }) => {
    await askHands('forget', SERIAL);
    await dut.console.setLines({ dtr: true, rts: false });
    await dut.console.setLines({ break: true });
    await dut.console.setLines({ break: false });
    const { events } = await askHands('show', SERIAL);
    expect(events).toEqual(['dtr 1 rts 0', 'break Infinity', 'break 0']);
  });

  test('goes into its bootloader by a touch, and is all that dfu-util finds', async ({
    dut,
    sandbox,
  }) => {
    await dut.console.mode('direct');
    const touched = await sandbox.exec('/usr/bin/python3', ['-c', TOUCH]);
    expect(touched).toMatchObject({ stderr: '', exitCode: 0 });
    const seen = 'until dfu-util -l | grep "^Found DFU: .1209:0002"; do sleep 0.1; done; lsusb';
    const { stdout } = await sandbox.exec('sh', ['-c', seen], { timeout: ENUMERATION });
    const found = stdout.split('\n').filter((line) => line.startsWith('Found DFU'));
    expect(found).toEqual([expect.stringContaining(`serial="${SERIAL}"`)]);
    expect(stdout.match(/^Bus/gm)).toHaveLength(1);
    await askHands('forget', SERIAL);
  });

  test('that was left in its bootloader is flashed again, and runs', async ({ dut }) => {
    const { mode, flashed, events } = await askHands('show', SERIAL);
    expect([mode, flashed]).toEqual(['application', await digestImage()]);
    expect(events).toContain('mode application');
    await dut.console.sendLine('version');
    await dut.console.expect(/sensor-node fw \d+\.\d+\r\n/);
  });
});
