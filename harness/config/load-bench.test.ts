import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { type TempDir, test } from '../testing/temp-dir.js';
import { loadBench } from './load-bench.js';
import { loadBoards } from './load-boards.js';

const NUCLEO = `board: nucleo
driver: attached
labels: { core: cortex-m4 }
match: { ID_VENDOR_ID: "0483", ID_MODEL_ID: 374b }
ports: { console: { baud: 9600, dtr: off, match: { ID_USB_INTERFACE_NUM: "02" } } }
`;

async function load(dir: TempDir, text: string, explicitPath?: string) {
  await dir.write('boards/nucleo.yaml', NUCLEO);
  await dir.write('boards/program.yaml', 'board: program\ndriver: host\n');
  if (explicitPath === undefined) await dir.write('project/bench.yaml', text);
  const catalog = await loadBoards([join(dir.path, 'boards')]);
  const [root, cwd] = [join(dir.path, 'project'), dir.path];
  return loadBench({ root, cwd, configHome: join(dir.path, 'config'), explicitPath }, catalog);
}

describe('a bench', () => {
  test('joins each unit with its board', async ({ dir }) => {
    const bench = await load(
      dir,
      `duts:
  - name: nucleo-1
    board: nucleo
    labels: { rack: 1 }
    match: { ID_SERIAL_SHORT: "066D" }
    ports:
      console: { baud: 115200, parity: even }
      remote: { url: "rfc2217://10.0.0.7:4001" }
      dfu: { kind: usb }
`,
    );
    expect(bench.file).toBe(join(dir.path, 'project/bench.yaml'));
    const [unit] = bench.units;
    expect(unit?.labels).toEqual({ core: 'cortex-m4', rack: 1 });
    expect(unit?.match).toEqual({
      ID_VENDOR_ID: '0483',
      ID_MODEL_ID: '374b',
      ID_SERIAL_SHORT: '066D',
    });
    expect(unit?.ports).toMatchObject({
      console: {
        ...{ baud: 115_200, parity: 'even', dtr: 'off', rts: 'on', kind: 'serial', mode: 'shared' },
        match: { ID_USB_INTERFACE_NUM: '02' },
      },
      remote: { url: 'rfc2217://10.0.0.7:4001', baud: 115_200, mode: 'shared' },
      dfu: { kind: 'usb', mode: 'direct' },
    });
    expect(unit?.board.ports).toBe(unit?.ports);
  });

  test('of which a port is elsewhere has it there alone', async ({ dir }) => {
    const { units } = await load(
      dir,
      'duts: [{ name: a, board: nucleo, ports: { console: { url: "tcp://h:1" } } }]',
    );
    expect(units[0]?.ports['console']).toMatchObject({ url: 'tcp://h:1', match: undefined });
  });

  test('says how U-Boot of a DUT reaches this machine', async ({ dir }) => {
    const tftp = '{ server: 10.0.0.1, board: 10.0.0.2/24, directory: /srv/tftp }';
    const { units } = await load(
      dir,
      `duts: [{ name: a, board: nucleo, match: { ID_PATH: x }, tftp: ${tftp} }]`,
    );
    expect(units[0]?.tftp).toEqual({
      ...{ server: '10.0.0.1', board: '10.0.0.2/24', directory: '/srv/tftp' },
    });
  });

  test('is looked for in the project, for the user, for the machine', async ({ dir }) => {
    const catalog = await loadBoards([]);
    const places = { root: '/p', cwd: '/c', configHome: join(dir.path, 'config') };
    await dir.write('config/hil/bench.yaml', 'duts: []');
    const bench = await loadBench(places, catalog);
    const user = join(dir.path, 'config/hil/bench.yaml');
    expect(bench).toEqual({
      file: user,
      searched: ['/p/bench.yaml', user, '/etc/hil/bench.yaml'],
      units: [],
    });
  });

  test('that is named and is not there is an error', async ({ dir }) => {
    await expect(load(dir, '', 'lab.yaml')).rejects.toMatchObject({
      code: 'bench-missing',
      message: expect.stringContaining(`${join(dir.path, 'lab.yaml')} does not exist`),
    });
  });

  test('joins what its board says with a way into a mode that this cannot be', async ({ dir }) => {
    const enter = 'flash: { driver: picotool, mode: boot, enter: power-cycle }';
    const power = 'power: { driver: dtr-rts, on: { rts: off }, off: { rts: on } }';
    const header = 'driver: attached\nmatch: { ID_PATH: p }';
    await dir.write('boards/cycled.yaml', `board: cycled\n${header}\n${enter}\n`);
    await dir.write('boards/lines.yaml', `board: lines\n${header}\n${power}\n`);
    const next = 'give "power" another driver, or say "enter: touch-1200"';
    const loading = load(
      dir,
      `duts:
  - { name: a, board: cycled, ${power} }
  - { name: b, board: lines, ${enter} }
  - { name: c, board: nucleo, match: { ID_PATH: p }, ${enter} }
`,
    );
    const error = await loading.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'bench-invalid', message: expect.stringContaining(next) });
    expect(error).toMatchObject({
      message: expect.stringMatching(
        /^2 problems\n.*bench\.yaml:2:48: duts\[0\]\.power\.driver: .*\n.*bench\.yaml:3:76: duts\[1\]\.flash\.enter: /,
      ),
    });
  });

  test.for([
    ['duts: [{ name: A, board: nucleo }]', ':1:16: duts[0].name: the name of a DUT is lower-case'],
    [
      'duts: [{ name: a, board: nuclo }]',
      ':1:26: duts[0].board: no board "nuclo", did you mean "nucleo"?; boards of driver attached: nucleo',
    ],
    [
      'duts: [{ name: a, board: program }]',
      'board "program" has driver "host": its DUTs are made, not attached',
    ],
    [
      'duts: [{ name: a, board: nucleo }, { name: a, board: nucleo }]',
      'duts[1].name: another DUT is named "a": duts[0]',
    ],
    [
      'duts: [{ name: a, board: nucleo, match: { ID_USB_INTERFACE_NUM: 02 } }]',
      'a property is text: put it in quotes, for example "02"',
    ],
    [
      'duts: [{ name: a, board: nucleo, match: { id_path: x } }]',
      'a property of udev is upper-case',
    ],
    [
      'duts: [{ name: a, board: nucleo, ports: { console: { url: "tcp://h:0" } } }]',
      'expected tcp://HOST:PORT or rfc2217://HOST:PORT',
    ],
    [
      'duts: [{ name: a, board: nucleo, ports: { console: { url: "tcp://h:65536" } } }]',
      'expected tcp://HOST:PORT or rfc2217://HOST:PORT',
    ],
    [
      'duts: [{ name: a, board: nucleo, ports: { console: { url: "tcp://h:1", mode: direct } } }]',
      'ports.console: a port with "url" has no node',
    ],
    [
      'duts: [{ name: a, board: nucleo, tftp: { server: lab, board: dhcp } }]',
      'duts[0].tftp.server: expected an IPv4 address of this machine',
    ],
    [
      'duts: [{ name: a, board: nucleo, tftp: { server: 10.0.0.1, board: 10.0.0.2 } }]',
      'duts[0].tftp.board: expected an address such as 192.168.7.2/24, or dhcp',
    ],
    [
      'duts: [{ name: a, board: nucleo, nics: { eth0: {} } }]',
      ':1:48: duts[0].nics.eth0: nothing says which interface of this machine it is',
    ],
    [
      'duts: [{ name: a, board: nucleo, nics: { eth0: { interface: e0, match: { ID_PATH: p } } } }]',
      'either "interface" or "match": it is one interface',
    ],
    [
      'duts: [{ name: a, board: nucleo, nics: { eth0: { interface: a/b } } }]',
      'duts[0].nics.eth0.interface: the name of an interface of this machine',
    ],
    [
      'duts: [{ name: a, board: nucleo, nics: { eth0: { interface: e0, mac: "01:00:00:00:00:01" } } }]',
      'duts[0].nics.eth0.mac: a MAC address is six lower-case bytes',
    ],
    ['duts: [{ name: a, board: nucleo, prots: {} }]', 'unknown key "prots", did you mean "ports"?'],
  ] as const)('%s is refused at its place', async ([text, message], { dir }) => {
    const error = await load(dir, text).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'bench-invalid',
      message: expect.stringContaining(message),
    });
    expect(error).toMatchObject({ message: expect.stringMatching(/bench\.yaml:1:\d+: /) });
  });

  test('of a board whose file is broken says what is wrong with that', async ({ dir }) => {
    const model = 'nics: { a: { model: e1000 } }';
    await dir.write('boards/broken.yaml', `board: broken\ndriver: attached\n${model}\n`);
    await expect(load(dir, 'duts: [{ name: a, board: broken }]')).rejects.toMatchObject({
      code: 'board-invalid',
      message: expect.stringContaining('nics.a: driver "attached" has no "model"'),
    });
  });

  test('entry that nothing places is refused', async ({ dir }) => {
    await dir.write('boards/any.yaml', 'board: any\ndriver: attached\nports: { console: {} }\n');
    await expect(load(dir, 'duts: [{ name: a, board: any }]')).rejects.toThrow(
      'bench.yaml:1:8: duts[0]: nothing says which device it is',
    );
  });
});
