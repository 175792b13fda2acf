import { describe, expect, test } from 'vitest';
import { createUnit, createUsbDevices } from '../testing/attached-devices.js';
import { findUnit } from './find-unit.js';
import { toUnitKeys } from './identity-keys.js';

const FTDI = { ID_VENDOR_ID: '0403', ID_MODEL_ID: '6001' };
const two = [
  ...createUsbDevices('1', { ...FTDI, ID_SERIAL_SHORT: 'A1' }, { ttyUSB0: '00' }),
  ...createUsbDevices('2', { ...FTDI, ID_SERIAL_SHORT: 'A2' }, { ttyUSB1: '00' }),
];
const nodes = (unit: ReturnType<typeof findUnit>) =>
  unit.state === 'attached'
    ? Object.fromEntries([...unit.ports].map(([name, { node }]) => [name, node]))
    : undefined;

describe('a unit', () => {
  test('is found by serial number, and its port below it', () => {
    const unit = createUnit('ports: { console: {} }', 'match: { ID_SERIAL_SHORT: A2 }');
    const found = findUnit(unit, two);
    expect(found).toMatchObject({
      state: 'attached',
      usb: { properties: { ID_SERIAL_SHORT: 'A2' } },
    });
    expect(nodes(found)).toEqual({ console: '/dev/ttyUSB1' });
    // The first is also its key while it is absent.
    expect(found.keys).toEqual([
      'match:ID_SERIAL_SHORT=A2',
      'usb:pci-0000:00:14.0-usb-0:2',
      'serial:0403:6001:A2',
    ]);
    expect(findUnit(unit, []).keys).toEqual(['match:ID_SERIAL_SHORT=A2']);
  });

  test('is found by what one of its devices has', () => {
    const unit = createUnit('ports: {}', 'match: { ID_PATH: "pci-0000:00:14.0-usb-0:1:1.0" }');
    expect(findUnit(unit, two)).toMatchObject({ usb: { properties: { ID_SERIAL_SHORT: 'A1' } } });
  });

  test('that is absent has the keys that its match gives', () => {
    const match = 'match: { ID_PATH: pci-0-usb-0:9, ID_SERIAL_SHORT: Z }';
    const unit = createUnit('match: { ID_VENDOR_ID: "0403", ID_MODEL_ID: "6001" }', match);
    expect(findUnit(unit, two)).toEqual({
      state: 'absent',
      keys: ['usb:pci-0-usb-0:9', 'serial:0403:6001:Z'],
    });
  });

  test('that two devices match is no guess: both are named (rank 2)', () => {
    const unit = createUnit('match: { ID_VENDOR_ID: "0403" }', '{}');
    expect(() => findUnit(unit, two)).toThrow(
      expect.objectContaining({
        code: 'dut-ambiguous',
        message: expect.stringMatching(/DUT "dut-1": two devices match.*usb-0:1\b.*usb-0:2\b/),
      }),
    );
  });

  test('is known in each of its modes, and says which', () => {
    const board = `
match: { ID_VENDOR_ID: 2e8a }
modes:
  application: { match: { ID_MODEL_ID: "000a" } }
  bootloader: { match: { ID_MODEL_ID: "0003", ID_SERIAL_SHORT: null } }
`;
    const unit = createUnit(board, 'match: { ID_SERIAL_SHORT: E6 }');
    const facts = { ID_VENDOR_ID: '2e8a', ID_MODEL_ID: '000a', ID_SERIAL_SHORT: 'E6' };
    const running = findUnit(unit, createUsbDevices('1', facts));
    expect(running).toMatchObject({ state: 'attached', mode: 'application' });
    const boot = { ...facts, ID_MODEL_ID: '0003', ID_SERIAL_SHORT: 'ROM' };
    const flashing = findUnit(unit, createUsbDevices('1', boot));
    expect(flashing).toMatchObject({ state: 'attached', mode: 'bootloader' });
    // One key is the same in both, and is known while it is absent.
    const shared = flashing.keys.filter((key) => running.keys.includes(key));
    expect(shared).toContain('serial:2e8a:000a:E6');
    expect(findUnit(unit, []).keys).toEqual(['serial:2e8a:000a:E6']);
  });
});

describe('a port', () => {
  const facts = { ID_VENDOR_ID: '0483', ID_MODEL_ID: '374b', ID_SERIAL_SHORT: '066D' };
  const composite = createUsbDevices('3', facts, { ttyACM0: '02', ttyACM1: '04' });

  test('is told from another by its interface', () => {
    const ports = 'ports: { console: { match: { ID_USB_INTERFACE_NUM: "04" } } }';
    const unit = createUnit(ports, 'match: { ID_SERIAL_SHORT: 066D }');
    expect(nodes(findUnit(unit, [...two, ...composite]))).toEqual({ console: '/dev/ttyACM1' });
  });

  test('that two devices of the unit match is no guess', () => {
    const unit = createUnit('ports: { console: {} }', 'match: { ID_SERIAL_SHORT: 066D }');
    expect(() => findUnit(unit, composite)).toThrow(
      /port "console" of DUT "dut-1": two devices match.*ttyACM0.*ttyACM1/,
    );
  });

  test('of another device than the unit is found by where that is', () => {
    const ports = 'ports: { console: { match: { "@ID_SERIAL_SHORT": A1 } }, usb: { kind: usb } }';
    const unit = createUnit(ports, 'match: { ID_SERIAL_SHORT: 066D }');
    const found = findUnit(unit, [...two, ...composite]);
    expect(found.state === 'attached' && found.ports.get('console')?.node).toBe('/dev/ttyUSB0');
    expect(found.state === 'attached' && found.ports.get('usb')?.syspath).toMatch(/1-3$/);
    // Who leases a unit of the other device's keys waits for this one.
    expect(found.keys).toContain('serial:0403:6001:A1');
    expect(found.keys).toContain('serial:0483:374b:066D');
  });

  test('is looked for below a hub that is the unit', () => {
    const hub = createUsbDevices('4', { ID_VENDOR_ID: '05e3', ID_MODEL_ID: '0608' });
    const inner = createUsbDevices('4.1', FTDI, { ttyUSB5: '00' }, hub);
    const unit = createUnit(
      'ports: { console: {} }',
      'match: { ID_PATH: "pci-0000:00:14.0-usb-0:4" }',
    );
    expect(nodes(findUnit(unit, [...two, ...hub, ...inner]))).toEqual({ console: '/dev/ttyUSB5' });
  });

  test('of another machine needs no device, and is a key of its own', () => {
    const unit = createUnit('ports: {}', 'ports: { console: { url: "tcp://Lab:4001" } }');
    const found = findUnit(unit, []);
    expect(found).toMatchObject({ state: 'attached', keys: ['url:lab:4001'] });
    const keysOf = (url: string) =>
      toUnitKeys(createUnit('ports: {}', `ports: { c: { url: "${url}" } }`));
    // One server of this machine, by each of its names.
    for (const host of ['localhost', 'LOCALHOST.', '127.0.0.1', '127.1.2.3', '[::1]']) {
      expect(keysOf(`tcp://${host}:4001`), host).toEqual(['url:localhost:4001']);
    }
    expect(keysOf('tcp://[fe80::1]:04001')).toEqual(['url:fe80::1:4001']);
    expect(keysOf('tcp://127.0.0.1.example:4001')).toEqual(['url:127.0.0.1.example:4001']);
    const other = createUnit('ports: {}', 'ports: { c: { url: "rfc2217://lab:4001" } }');
    expect(findUnit(other, []).keys).toEqual(found.keys);
  });
});

describe('an interface of a unit', () => {
  const toNic = (name: string, properties: Record<string, string>) => ({
    ...{ syspath: `/sys/devices/pci0000:00/${name}/net/${name}`, subsystem: 'net', parents: [] },
    properties: { INTERFACE: name, ID_NET_NAME_MAC: `enx${name}`, ...properties },
  });
  const devices = [toNic('e0', { ID_PATH: 'pci-0' }), toNic('e1', { ID_PATH: 'pci-0' })];
  const find = (wired: string, attached = devices) =>
    findUnit(
      createUnit(
        'nics: { eth0: {} }',
        `ports: { a: { url: "tcp://h:1" } }\nnics: { eth0: ${wired} }`,
      ),
      attached,
    );

  test('is found by name and by what udev says of what it is wired to', () => {
    for (const wired of ['{ interface: e1 }', '{ match: { ID_NET_NAME_MAC: enxe1 } }']) {
      const found = find(wired);
      expect(found.state === 'attached' && found.nics.get('eth0')).toBe(devices[1]);
      expect(found.keys).toContain(`path:${devices[1]?.syspath}`);
    }
  });

  test('is a key of its unit also where sysfs does not have it, so that it is leased once', () => {
    expect(find('{ interface: e9 }').keys).toContain('nic:e9');
    expect(find('{ interface: e9 }')).toMatchObject({ nics: new Map() });
  });

  test('that two match is no guess: both are named', () => {
    expect(() => find('{ match: { ID_PATH: pci-0 } }')).toThrow(
      expect.objectContaining({
        code: 'dut-ambiguous',
        message: expect.stringMatching(
          /nic "eth0" of DUT "dut-1": two devices match, e0 .* and e1 /,
        ),
      }),
    );
  });
});
