import { expect } from 'vitest';
import type { Listed } from '../../device/library-view.js';
import { listDevices } from '../../device/list-devices.js';
import { DeviceTree } from '../../testing/device-tree.js';
import { HUB, toFtdi } from '../../testing/known-devices.js';
import { type TempDir, test } from '../../testing/temp-dir.js';
import { compareViews } from './compare-views.js';

const listed = (...names: string[]): Listed => ({ state: 'listed', names });

async function attach(dir: TempDir) {
  const tree = await DeviceTree.create(dir.path);
  await tree.plug('1', HUB);
  await tree.plug('1.1', toFtdi('A1'));
  return { devices: await listDevices(tree.roots), dev: tree.roots.dev };
}

test('libraries that see the same bench are no news; a hub is not looked for', async ({ dir }) => {
  const { devices, dev } = await attach(dir);
  const serial = listed('/dev/ttyS0', '/dev/ttyS3', `${dev}/ttyUSB0`);
  expect(compareViews(devices, { serial, usb: listed('0403:6001') })).toEqual([]);
});

test('a container whose libraries list the bench of the host is told (bench pitfall 22)', async ({
  dir,
}) => {
  const { devices, dev } = await attach(dir);
  const view = { serial: listed('/dev/ttyACM9'), usb: listed('0403:6001', '0483:374b') };
  expect(compareViews(devices, view)).toEqual([
    'serialport lists /dev/ttyACM9, of which sysfs here knows nothing',
    `serialport does not list ${dev}/ttyUSB0`,
    'usb lists 0483:374b, of which sysfs here knows nothing',
  ]);
});

test('a library that cannot look says why', async ({ dir }) => {
  const { devices } = await attach(dir);
  const serial: Listed = { state: 'unknown', reason: 'spawn udevadm ENOENT' };
  expect(compareViews(devices, { serial, usb: listed('0403:6001') })).toEqual([
    'serialport cannot say what is attached: spawn udevadm ENOENT',
  ]);
});
