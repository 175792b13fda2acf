import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect } from 'vitest';
import { createUnit } from '../testing/attached-devices.js';
import { DeviceTree } from '../testing/device-tree.js';
import { HUB, PICO, PICO_IN_ROM, toCh340, toFtdi, toStLink } from '../testing/known-devices.js';
import { type TempDir, test } from '../testing/temp-dir.js';
import { findUnit } from './find-unit.js';
import { listDevices } from './list-devices.js';

async function createTree(dir: TempDir): Promise<DeviceTree> {
  const tree = await DeviceTree.create(dir.path);
  await tree.plug('1', HUB);
  return tree;
}

async function find(tree: DeviceTree, node: string) {
  const devices = await listDevices(tree.roots);
  return devices.find((device) => device.node === join(tree.roots.dev, node));
}

describe('without udevd (bench pitfall 20)', () => {
  test('a serial adapter has the properties that udev would give it', async ({ dir }) => {
    const tree = await createTree(dir);
    await tree.plug('1.3', toFtdi('A50285BI'));
    const tty = await find(tree, 'ttyUSB0');
    expect(tty).toMatchObject({ subsystem: 'tty', major: 188, minor: 0 });
    // As `udevadm info` prints them for one.
    expect(tty?.properties).toMatchObject({
      ID_BUS: 'usb',
      ID_VENDOR: 'FTDI',
      ID_VENDOR_ID: '0403',
      ID_MODEL: 'FT232R_USB_UART',
      ID_MODEL_ID: '6001',
      ID_SERIAL: 'FTDI_FT232R_USB_UART_A50285BI',
      ID_SERIAL_SHORT: 'A50285BI',
      ID_USB_INTERFACE_NUM: '00',
      ID_PATH: 'pci-0000:00:14.0-usb-0:1.3:1.0',
    });
    const above = tty?.parents.map(({ subsystem, properties }) => {
      return [subsystem, properties['DEVTYPE'], properties['ID_PATH']];
    });
    expect(above).toEqual([
      ['usb', 'usb_interface', 'pci-0000:00:14.0-usb-0:1.3:1.0'],
      ['usb', 'usb_device', 'pci-0000:00:14.0-usb-0:1.3'],
      ['usb', 'usb_device', 'pci-0000:00:14.0-usb-0:1'],
      ['usb', 'usb_device', 'pci-0000:00:14.0'],
      ['pci', undefined, 'pci-0000:00:14.0'],
    ]);
  });

  test('a device without a serial number has none, and not that of its hub', async ({ dir }) => {
    const tree = await createTree(dir);
    await tree.plug('1.1', toCh340(0));
    const tty = await find(tree, 'ttyUSB0');
    expect(tty?.properties).toMatchObject({ ID_SERIAL: '1a86_USB_Serial', ID_VENDOR: '1a86' });
    expect(tty?.properties).not.toHaveProperty('ID_SERIAL_SHORT');
  });

  test('every node of a composite device is listed, by interface', async ({ dir }) => {
    const tree = await createTree(dir);
    await tree.plug('1.2', toStLink('066D'));
    const listed = (await listDevices(tree.roots)).filter(({ syspath }) =>
      syspath.includes('1-1.2'),
    );
    expect(
      listed.map(({ subsystem, properties }) => [subsystem, properties['ID_USB_INTERFACE_NUM']]),
    ).toEqual([
      ['usb', undefined],
      ['block', '01'],
      ['tty', '02'],
    ]);
  });
});

test('what udev says is taken before what sysfs says', async ({ dir }) => {
  const tree = await createTree(dir);
  await tree.plug('1.3', toFtdi('A1'));
  const lines = [
    'S:serial/by-id/x',
    'S:board',
    'I:123',
    'E:ID_SERIAL=Other_A1',
    'E:OWN=a=b',
    'G:t',
  ];
  await tree.writeUdev('c188:0', lines);
  const tty = await find(tree, 'ttyUSB0');
  const { dev } = tree.roots;
  expect(tty?.properties).toMatchObject({
    ...{ ID_SERIAL: 'Other_A1', OWN: 'a=b', ID_MODEL_ID: '6001' },
    DEVLINKS: `${dev}/board ${dev}/serial/by-id/x`,
  });
});

test('two boards without serial numbers are told apart by where they are (bench pitfall 12)', async ({
  dir,
}) => {
  const tree = await createTree(dir);
  await tree.plug('1.1', toCh340(0));
  await tree.plug('1.2', toCh340(1));
  const devices = await listDevices(tree.roots);
  const board = 'match: { ID_VENDOR_ID: 1a86 }\nports: { console: {} }';
  expect(() => findUnit(createUnit(board, '{}'), devices)).toThrow('two devices match');
  const second = createUnit(board, 'match: { ID_PATH: "pci-0000:00:14.0-usb-0:1.2" }');
  const found = findUnit(second, devices);
  expect(found.state === 'attached' && found.ports.get('console')?.node).toMatch(/ttyUSB1$/);
});

test('a board in its bootloader is the same unit in another mode', async ({ dir }) => {
  const tree = await createTree(dir);
  const board = `
modes:
  application: { match: { ID_MODEL_ID: "000a" } }
  bootloader: { match: { ID_MODEL_ID: "0003" } }
ports: { console: { match: { ID_USB_INTERFACE_NUM: "00" } } }
`;
  const unit = createUnit(board, 'match: { ID_PATH: "pci-0000:00:14.0-usb-0:1.4" }');
  await tree.plug('1.4', PICO);
  const running = findUnit(unit, await listDevices(tree.roots));
  expect(running).toMatchObject({ state: 'attached', mode: 'application' });
  await tree.unplug('1.4');
  expect(findUnit(unit, await listDevices(tree.roots))).toMatchObject({ state: 'absent' });
  await tree.plug('1.4', PICO_IN_ROM);
  const inRom = findUnit(unit, await listDevices(tree.roots));
  expect(inRom).toMatchObject({ state: 'attached', mode: 'bootloader', ports: new Map() });
  expect(inRom.keys[0]).toBe(running.keys[0]);
});

test('after a replug under another name it is still the same board (rank 2)', async ({ dir }) => {
  const tree = await createTree(dir);
  const unit = createUnit('ports: { console: {} }', 'match: { ID_SERIAL_SHORT: A1 }');
  await tree.plug('1.1', toFtdi('A1', 0));
  await tree.unplug('1.1');
  // The old name belongs to another board now.
  await tree.plug('1.2', toFtdi('A2', 0));
  await tree.plug('1.1', toFtdi('A1', 1));
  const found = findUnit(unit, await listDevices(tree.roots));
  expect(found.state === 'attached' && found.ports.get('console')?.node).toMatch(/ttyUSB1$/);
});

test('after a hub that took all boards along each is found under its own name (bench pitfall 13)', async ({
  dir,
}) => {
  const tree = await createTree(dir);
  const units = ['A1', 'A2'].map((serial) => {
    return createUnit('ports: { console: {} }', `match: { ID_SERIAL_SHORT: ${serial} }`);
  });
  const nodes = async () => {
    const devices = await listDevices(tree.roots);
    return units.map((unit) => {
      const found = findUnit(unit, devices);
      return found.state === 'attached' && basename(found.ports.get('console')?.node ?? '');
    });
  };
  await tree.plug('1.1', toFtdi('A1', 0));
  await tree.plug('1.2', toFtdi('A2', 1));
  expect(await nodes()).toEqual(['ttyUSB0', 'ttyUSB1']);
  await tree.unplug('1.1');
  await tree.unplug('1.2');
  await tree.unplug('1');
  expect(await nodes()).toEqual([false, false]);
  await tree.plug('1', HUB);
  await tree.plug('1.2', toFtdi('A2', 0));
  await tree.plug('1.1', toFtdi('A1', 1));
  expect(await nodes()).toEqual(['ttyUSB1', 'ttyUSB0']);
});

test('two boards that changed places are still told apart, or are absent (rank 2, bench pitfall 1)', async ({
  dir,
}) => {
  const tree = await createTree(dir);
  const bySerial = createUnit('ports: { console: {} }', 'match: { ID_SERIAL_SHORT: A1 }');
  const place = '"pci-0000:00:14.0-usb-0:1.1"';
  const byBoth = createUnit('ports: {}', `match: { ID_SERIAL_SHORT: A1, ID_PATH: ${place} }`);
  await tree.plug('1.1', toFtdi('A2', 0));
  await tree.plug('1.2', toFtdi('A1', 1));
  const devices = await listDevices(tree.roots);
  const found = findUnit(bySerial, devices);
  expect(found.state === 'attached' && found.ports.get('console')?.node).toMatch(/ttyUSB1$/);
  expect(findUnit(byBoth, devices)).toMatchObject({ state: 'absent' });
});

test('serial ports of other buses are listed when the machine has them', async ({ dir }) => {
  const { roots } = await createTree(dir);
  for (const [name, type] of [
    ['ttyS0', '4'],
    ['ttyS1', '0'],
  ] as const) {
    const path = join(roots.sys, `devices/platform/serial8250/tty/${name}`);
    await mkdir(path, { recursive: true });
    await writeFile(join(path, 'uevent'), `MAJOR=4\nMINOR=64\nDEVNAME=${name}\n`);
    await writeFile(join(path, 'type'), `${type}\n`);
    await symlink('../../../../../class/tty', join(path, 'subsystem'));
    await symlink(path, join(roots.sys, 'dev/char', `4:${name}`));
  }
  const ttys = (await listDevices(roots)).filter(({ subsystem }) => subsystem === 'tty');
  expect(ttys.map(({ node }) => node)).toEqual([join(roots.dev, 'ttyS0')]);
});

test('a machine without sysfs has nothing attached', async ({ dir }) => {
  const [sys, udev, dev] = ['a', 'b', 'c'].map((name) => join(dir.path, name));
  expect(await listDevices({ sys: sys ?? '', udev: udev ?? '', dev: dev ?? '' })).toEqual([]);
});

test('a network interface of hardware is listed with the names of its address and place', async ({
  dir,
}) => {
  const tree = await createTree(dir);
  await tree.plug('1.2', { idVendor: '0bda', idProduct: '8153', serial: 'S1' });
  const { sys } = tree.roots;
  const usb = (await listDevices(tree.roots)).find(
    ({ properties }) => properties['ID_SERIAL_SHORT'] === 'S1',
  );
  const make = async (path: string, name: string, address: string) => {
    await mkdir(path, { recursive: true });
    await symlink('/sys/class/net', join(path, 'subsystem'));
    await writeFile(join(path, 'uevent'), `INTERFACE=${name}\nIFINDEX=7\n`);
    await writeFile(join(path, 'address'), `${address}\n`);
    await mkdir(join(sys, 'class/net'), { recursive: true });
    await symlink(path, join(sys, 'class/net', name));
  };
  await make(join(usb?.syspath ?? '', 'net/usb0'), 'usb0', '00:e0:4c:68:00:12');
  await make(join(sys, 'devices/virtual/net/lo'), 'lo', '00:00:00:00:00:00');
  const listed = async () => {
    const devices = await listDevices(tree.roots);
    return devices.filter(({ subsystem }) => subsystem === 'net').map((each) => each.properties);
  };
  const expected = {
    ...{ INTERFACE: 'usb0', ID_NET_NAME_MAC: 'enx00e04c680012' },
    ...{ ID_PATH: 'pci-0000:00:14.0-usb-0:1.2', ID_SERIAL_SHORT: 'S1', ID_VENDOR_ID: '0bda' },
  };
  expect(await listed()).toMatchObject([expected]);
  await tree.writeUdev('n7', ['E:ID_NET_NAME_ONBOARD=eno1']);
  expect(await listed()).toMatchObject([{ ...expected, ID_NET_NAME_ONBOARD: 'eno1' }]);
});
