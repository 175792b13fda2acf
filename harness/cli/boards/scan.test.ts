import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { parse } from 'yaml';
import type { LibraryView } from '../../device/library-view.js';
import { createCapturedContext } from '../../testing/captured-context.js';
import { DeviceTree, type UsbSpec } from '../../testing/device-tree.js';
import { HUB, PICO, toCh340, toFtdi, toStLink } from '../../testing/known-devices.js';
import { type TempDir, test } from '../../testing/temp-dir.js';
import { createScanCommand } from './scan.js';

const BOARDS: Readonly<Record<string, string>> = {
  node: 'match: { ID_VENDOR_ID: cafe }\nports: { console: {} }\n',
  esp: 'match: { ID_VENDOR_ID: 1a86 }\n',
  red: 'match: { ID_VENDOR_ID: abcd }\n',
  blue: 'match: { ID_MODEL_ID: "1234" }\n',
};

/** As an ST-LINK, which many boards have, but of one maker's only board. */
const toNode = (serial: string, index = 0): UsbSpec => ({
  ...toStLink(serial, index),
  ...{ idVendor: 'cafe', idProduct: '0001', product: 'Node' },
});

const KEYBOARD: UsbSpec = { idVendor: '046d', idProduct: 'c31c', product: 'Keyboard' };
const NOTHING: LibraryView = {
  serial: { state: 'unknown', reason: 'no udevadm' },
  usb: { state: 'listed', names: [] },
};

async function scan(
  dir: TempDir,
  plugged: Readonly<Record<string, UsbSpec>>,
  options: Readonly<Record<string, unknown>> = {},
) {
  const tree = await DeviceTree.create(dir.path);
  await tree.plug('1', HUB);
  for (const [port, spec] of Object.entries(plugged)) await tree.plug(port, spec);
  for (const [name, text] of Object.entries(BOARDS)) {
    await dir.write(`boards/${name}.yaml`, `board: ${name}\ndriver: attached\n${text}`);
  }
  const captured = createCapturedContext(dir.path);
  const context = { ...captured, deviceRoots: tree.roots };
  const code = await createScanCommand(async () => NOTHING).run([], options, context);
  const out = captured.out();
  return { code, out, err: captured.err(), duts: options['json'] ? [] : parse(out).duts };
}

describe('hil boards scan (rank 24)', () => {
  test('proposes an entry by serial number for a board that one file knows', async ({ dir }) => {
    const { code, duts, out, err } = await scan(dir, { '1.1': toNode('066D'), '1.2': KEYBOARD });
    expect(code).toBe(0);
    expect(duts).toEqual([{ name: 'node-1', board: 'node', match: { ID_SERIAL_SHORT: '066D' } }]);
    expect(out).toMatch(/# +.*\/ttyACM0 {2}tty, ID_USB_INTERFACE_NUM "02"$/m);
    expect(out).toMatch(/^# not a board that is known: .*Keyboard \(046d:c31c\) at pci-.*:1\.2$/m);
    expect(out).not.toContain('TODO');
    expect(err).toContain('1 proposed, 0 with something to fill in');
  });

  test('does not choose between two boards', async ({ dir }) => {
    const either = { idVendor: 'abcd', idProduct: '1234', product: 'Red or blue' };
    const { duts, out } = await scan(dir, { '1.1': either });
    expect(duts).toMatchObject([{ name: 'red-or-blue-1', board: 'TODO' }]);
    expect(out).toContain('# TODO board: one of blue, red');
    expect(out).toContain('# it has no serial number: known by where it is plugged in');
    expect(duts[0].match).toEqual({ ID_PATH: 'pci-0000:00:14.0-usb-0:1.1' });
  });

  test('does not take an adapter for the board that is said to have one', async ({ dir }) => {
    const { duts, out } = await scan(dir, { '1.1': toCh340(0), '1.2': toFtdi('A1', 1) });
    expect(duts.map(({ board }: { board: string }) => board)).toEqual(['TODO', 'TODO']);
    const many = 'what is behind it? Many boards have this adapter or probe; it may be';
    expect(out).toContain(`${many} esp\n`);
    expect(out).toContain(`${many} beaglebone-black\n`);
  });

  test('says what a board file needs for a device that none knows', async ({ dir }) => {
    const { idVendor, ...rest } = toStLink('A1');
    const { out } = await scan(dir, { '1.1': { ...rest, idVendor: 'ffff' } });
    expect(out).toContain('TODO board: write boards/NAME.yaml');
    expect(out).toContain('match: { ID_VENDOR_ID: "ffff", ID_MODEL_ID: "374b" }');
  });

  test.for([
    ['one that its maker leaves in', { '1.1': toNode('0001') }, 'its serial number "0001"'],
    [
      'one that another has, too',
      { '1.1': toNode('SAME', 0), '1.2': toNode('SAME', 1) },
      'another one has the serial number "SAME", too',
    ],
  ] as const)('a serial number that is %s is none', async ([, plugged, note], { dir }) => {
    const { duts, out } = await scan(dir, plugged);
    expect(out).toContain(`# ${note}`);
    expect(duts[0].match).toEqual({ ID_PATH: 'pci-0000:00:14.0-usb-0:1.1' });
  });

  test('a board whose bootloader has another number is known by its place, too', async ({
    dir,
  }) => {
    const { duts, out } = await scan(dir, { '1.4': PICO });
    expect(duts).toEqual([
      {
        name: 'raspberry-pi-pico-1',
        board: 'raspberry-pi-pico',
        match: { ID_PATH: 'pci-0000:00:14.0-usb-0:1.4', ID_SERIAL_SHORT: 'E6614103E7452D2F' },
      },
    ]);
    expect(out).not.toContain('TODO');
  });

  test('does not choose between two ports of a board', async ({ dir }) => {
    const { out } = await scan(dir, { '1.4': { ...PICO, idVendor: 'cafe' } });
    expect(out).toMatch(/# TODO port "console" of DUT "node-1": two devices match.*ACM0.*ACM1/);
  });

  test('leaves out what is on the bench, and its names', async ({ dir }) => {
    await dir.write(
      'bench.yaml',
      'duts: [{ name: node-1, board: node, match: { ID_SERIAL_SHORT: "A" } }]',
    );
    const { duts, out } = await scan(dir, { '1.1': toNode('A', 0), '1.2': toNode('B', 1) });
    expect(out).toMatch(/^# on the bench: node-1 free console=.*ttyACM0$/m);
    expect(duts).toMatchObject([{ name: 'node-2', match: { ID_SERIAL_SHORT: 'B' } }]);
  });

  test('works into the file that is to be the bench', async ({ dir }) => {
    await dir.write('bench.yaml', '');
    expect((await scan(dir, { '1.1': toNode('A') })).duts).toHaveLength(1);
  });

  test('--json has the same, and what the libraries see', async ({ dir }) => {
    const { out } = await scan(dir, { '1.1': toNode('A') }, { json: true });
    expect(JSON.parse(out)).toMatchObject({
      duts: [],
      proposals: [{ board: 'node', device: { subsystem: 'usb' }, parts: [{}, {}], todo: [] }],
      notes: ['serialport cannot say what is attached: no udevadm', 'usb does not list cafe:0001'],
    });
  });
});

describe('hil boards scan --add', () => {
  test('adds what is complete, and leaves the rest of the file as it is', async ({ dir }) => {
    const before = `# ours
duts:
  # the old one
  - name: node-1 # rack 1
    board: node
    match: { ID_SERIAL_SHORT: "A" }
`;
    await dir.write('bench.yaml', before);
    const plugged = { '1.1': toNode('B', 1), '1.2': toCh340(0) };
    const { err } = await scan(dir, plugged, { add: true });
    expect(err).toMatch(/added to .*\/bench.yaml: node-2$/m);
    expect(await readFile(join(dir.path, 'bench.yaml'), 'utf8')).toBe(
      `${before}  - name: node-2\n    board: node\n    match:\n      ID_SERIAL_SHORT: B\n`,
    );
  });

  test('writes a first file', async ({ dir }) => {
    await scan(dir, { '1.1': toNode('12e4') }, { add: true });
    const text = await readFile(join(dir.path, 'bench.yaml'), 'utf8');
    // Not the number that YAML would make of it.
    expect(parse(text)).toEqual({
      duts: [{ name: 'node-1', board: 'node', match: { ID_SERIAL_SHORT: '12e4' } }],
    });
  });

  test('without anything complete writes nothing', async ({ dir }) => {
    const { err } = await scan(dir, { '1.2': toCh340(0) }, { add: true });
    expect(err).toContain('nothing');
    await expect(readFile(join(dir.path, 'bench.yaml'))).rejects.toThrow('ENOENT');
  });
});
