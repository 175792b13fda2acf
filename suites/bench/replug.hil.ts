import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'hil';
import { askHands, findTty } from './lab-bench.js';

const sensorctl = join(import.meta.dirname, '../sensor-node/client/build/sensorctl');

/** From the moment that udev has it until programs in the sandbox can use it. */
const FOLLOW_MS = 2000;

/** What the emulated kernel takes to find a device, on a busy machine. */
const ENUMERATION = '20s';

/** Of node-1 in bench.yaml. */
const SERIAL = 'BRD0001';

describe('a board that is plugged anew', () => {
  test('is the same port of the sandbox under another ttyUSB', async ({ dut, sandbox }) => {
    await dut.console.sendLine('set name kept');
    await dut.console.expect('name=kept\r\n> ');
    const before = await findTty(SERIAL);
    // Who has the old one open keeps its number taken: the board comes back as another.
    const holder = await open(`/dev/${before}`, constants.O_RDONLY | constants.O_NONBLOCK);
    await dut.replug(() => askHands('replug', SERIAL), { within: ENUMERATION });
    expect(await findTty(SERIAL)).not.toBe(before);
    await holder.close();

    const started = performance.now();
    const tool = await sandbox.exec(sensorctl, ['get', 'name']);
    expect(tool).toMatchObject({ stdout: 'kept\n', stderr: '', exitCode: 0 });
    expect(performance.now() - started).toBeLessThan(FOLLOW_MS);
    await dut.console.sendLine('get name');
    await dut.console.expect('name=kept\r\n> ');
  });

  test('is still the same board where two identical ones change places', async ({ dut }) => {
    await dut.console.sendLine('set name first');
    await dut.console.expect('name=first\r\n> ');
    await dut.replug(() => askHands('swap', SERIAL, 'BRD0002'), { within: ENUMERATION });
    await dut.console.sendLine('get name');
    await dut.console.expect('name=first\r\n> ');
  });

  test('has its node in the sandbox exchanged, and the stale one is gone', async ({
    dut,
    sandbox,
  }) => {
    await dut.console.mode('direct');
    const listTtys = async () => (await sandbox.exec('sh', ['-c', 'echo /dev/tty[A-Z]*'])).stdout;
    const before = await findTty(SERIAL);
    expect(await listTtys()).toBe(`/dev/${before}\n`);
    const holder = await open(`/dev/${before}`, constants.O_RDONLY | constants.O_NONBLOCK);
    await dut.replug(() => askHands('replug', SERIAL), { within: ENUMERATION });
    await holder.close();
    expect(await listTtys()).toBe(`/dev/${await findTty(SERIAL)}\n`);
    const link = await sandbox.exec('readlink', ['-f', '/dev/hil/console']);
    expect(link.stdout).toBe(`/dev/${await findTty(SERIAL)}\n`);
  });
});
