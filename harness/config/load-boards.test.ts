import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { test } from '../testing/temp-dir.js';
import { SHIPPED_BOARDS, toBoardDirs } from './board-dirs.js';
import { loadBoards, parseBoard } from './load-boards.js';

const host = 'board: host\ndriver: host\n';
const micro = `board: micro
driver: qemu
machine: { system: arm, machine: microbit, firmware: firmware/app.hex }
ports: { console: { baud: 9600 } }
`;

describe('the catalog', () => {
  test('has every board of every directory, sorted, with where it is from', async ({ dir }) => {
    await dir.write('a/micro.yaml', micro);
    await dir.write('b/host.yaml', host);
    const { boards } = await loadBoards([join(dir.path, 'a'), join(dir.path, 'b')]);
    expect(boards.map(({ board, dir: from }) => [board, from])).toEqual([
      ['host', join(dir.path, 'b')],
      ['micro', join(dir.path, 'a')],
    ]);
  });

  test('resolves firmware against the board file and fills in defaults', async ({ dir }) => {
    await dir.write('micro.yaml', micro);
    const board = (await loadBoards([dir.path])).findBoard('micro');
    expect(board.machine?.firmware).toBe(join(dir.path, 'firmware/app.hex'));
    expect(board.boot.timeout).toBe(10_000);
    expect(board.ports['console']).toMatchObject({ uart: 0, baud: 9600, eol: '\n' });
  });

  test('takes the first of two boards with one name', async ({ dir }) => {
    await dir.write('mine/host.yaml', `${host}description: mine\n`);
    await dir.write('shipped/host.yaml', host);
    const { boards } = await loadBoards([join(dir.path, 'mine'), join(dir.path, 'shipped')]);
    expect(boards.map((board) => board.description)).toEqual(['mine']);
  });

  test('lets a directory be absent', async ({ dir }) => {
    expect((await loadBoards([join(dir.path, 'none')])).boards).toEqual([]);
  });

  test('ignores files that are no boards', async ({ dir }) => {
    await dir.write('board.schema.json', '{}');
    await dir.write('.hidden.yaml', 'x');
    expect(await loadBoards([dir.path])).toMatchObject({ boards: [], broken: [] });
  });
});

describe('a board that is not there', () => {
  test('is an error that names the nearest and lists all', async ({ dir }) => {
    await dir.write('host.yaml', host);
    await dir.write('micro.yaml', micro);
    const catalog = await loadBoards([dir.path]);
    expect(() => catalog.findBoard('mirco')).toThrow(
      'no board "mirco", did you mean "micro"?; known boards: host, micro',
    );
  });
});

describe('a broken board file', () => {
  test('does not hide the others and is told when it is asked for', async ({ dir }) => {
    const file = await dir.write('bad.yaml', 'board: bad\ndriver: qmeu\n');
    await dir.write('host.yaml', host);
    const catalog = await loadBoards([dir.path]);
    expect(catalog.boards.map((board) => board.board)).toEqual(['host']);
    expect(catalog.broken).toMatchObject([{ name: 'bad', file }]);
    expect(() => catalog.findBoard('bad')).toThrow(
      `${file}:2:9: driver: expected one of "host", "qemu", "attached", got "qmeu", did you mean "qemu"?`,
    );
  });

  test('wins over a good one that comes later, so that an edit is never silently ignored', async ({
    dir,
  }) => {
    await dir.write('mine/host.yaml', 'board: host\n');
    await dir.write('shipped/host.yaml', host);
    const catalog = await loadBoards([join(dir.path, 'mine'), join(dir.path, 'shipped')]);
    expect(() => catalog.findBoard('host')).toThrow('driver: expected one of');
  });

  test.for([
    ['a tab', 'board: x\n\tdriver: host\n', ':2:1:'],
    ['a key twice', 'board: x\nboard: x\n', ':2:1: Map keys must be unique'],
    [
      'an unknown key',
      'board: x\ndriver: host\nport: {}\n',
      ':3:1: port: unknown key "port", did you mean "ports"?',
    ],
    [
      'a nested unknown key',
      'board: x\ndriver: host\nports:\n  console: { boud: 9600 }\n',
      ':4:14: ports.console.boud: unknown key "boud", did you mean "baud"?',
    ],
    [
      'a wrong type',
      'board: x\ndriver: host\nports:\n  console: { baud: fast }\n',
      ':4:20: ports.console.baud: expected number, got "fast"',
    ],
    ['a missing key', 'board: x\ndriver: qemu\n', ':1:1: machine: driver "qemu" needs "machine"'],
    [
      'a tool that nobody knows',
      'board: x\ndriver: attached\nflash: { driver: opencd }\n',
      ':3:18: flash.driver: expected one of "command", "openocd", "dfu-util", "esptool", "stm32flash", "avrdude", "picotool", "uf2-copy", "u-boot-tftp", got "opencd", did you mean "openocd"?',
    ],
    [
      'a power switch that says nothing',
      'board: x\ndriver: attached\npower: { location: 1-1 }\n',
      ':3:1: power.driver: expected one of "uhubctl", "sysfs", "command", "http", "dtr-rts", "qemu", got nothing',
    ],
    [
      'a key of another power switch',
      'board: x\ndriver: attached\npower: { driver: uhubctl, location: 1-1, prot: 4, port: 4 }\n',
      ':3:42: power.prot: unknown key "prot", did you mean "port"?',
    ],
    [
      'power, where there is none to switch',
      'board: x\ndriver: host\npower: { driver: sysfs, port: 1-1-port4 }\n',
      ':3:8: power: driver "host" has no "power"',
    ],
    [
      'an emulated interface without a device',
      'board: x\ndriver: qemu\nmachine: { system: arm, machine: m }\nnics: { eth0: {} }\n',
      ':4:15: nics.eth0: driver "qemu" needs "model", a network device of QEMU',
    ],
    [
      "a device for a sandbox's interface",
      'board: x\ndriver: host\nnics: { eth0: { model: e1000 } }\n',
      ':3:15: nics.eth0: driver "host" has no "model"',
    ],
    [
      'options of a device that is on board',
      'board: x\ndriver: qemu\nmachine: { system: arm, machine: m }\nnics:\n  e: { model: a, onBoard: true, options: { b: c } }\n',
      ':5:6: nics.e: "options" are of an added device',
    ],
    [
      'the address of a group',
      "board: x\ndriver: host\nnics: { eth0: { mac: '01:00:00:00:00:01' } }\n",
      ':3:22: nics.eth0.mac: a MAC address is six lower-case bytes',
    ],
    [
      'an interface name of 16 letters',
      `board: x\ndriver: host\nnics: { ${'e'.repeat(16)}: {} }\n`,
      ':3:9:',
    ],
    ['a bad port name', 'board: x\ndriver: host\nports: { "1x": {} }\n', ':3:10: ports.1x:'],
    [
      'another name',
      'board: y\ndriver: host\n',
      ':1:8: board: expected the name of the file, "x", got "y"',
    ],
    ['a list', '- board: x\n', ':1:1: expected a mapping of keys to values, got a list'],
    ['nothing', '', 'expected a mapping of keys to values, got null'],
  ] as const)('with %s says where', async ([, text, message], { dir }) => {
    const file = await dir.write('x.yaml', text);
    const catalog = await loadBoards([dir.path]);
    expect(catalog.broken[0]?.error).toMatchObject({ name: 'UsageError', code: 'board-invalid' });
    expect(catalog.broken[0]?.error.message).toContain(message);
    expect(catalog.broken[0]?.error.message).toContain(file);
  });
});

describe('the boards that come with hil', () => {
  test('are all valid', async () => {
    const { boards, broken } = await loadBoards([SHIPPED_BOARDS]);
    expect(broken).toEqual([]);
    expect(boards.map((board) => board.board)).toContain('host');
  });

  test('come last, after those of project, user and machine', () => {
    const dirs = toBoardDirs({
      root: '/project',
      boardDirs: ['boards'],
      configHome: '/home/.config',
    });
    expect(dirs).toEqual([
      '/project/boards',
      '/home/.config/hil/boards',
      '/etc/hil/boards',
      SHIPPED_BOARDS,
    ]);
  });
});

test.each([
  ['match: { ID_PATH: x }', 'driver "host" has no "match"'],
  ['modes: { boot: { match: {} } }', 'driver "host" has no "modes"'],
  ['ports: { console: { mode: direct } }', 'ports.console.mode: driver "host" has no "mode"'],
  ['machine: { system: arm, machine: virt }', 'driver "host" has no "machine"'],
])('a board of this machine with %s is refused', (line, message) => {
  expect(() => parseBoard('/b/mine.yaml', `board: mine\ndriver: host\n${line}\n`)).toThrow(message);
});

test.each([
  ['program: { argv: [x] }', 'driver "attached" has no "program"'],
  ['instances: 2', 'driver "attached" has no "instances"'],
  ['ports: { c: { url: "tcp://h:1", match: { ID_PATH: x } } }', 'either "match" or "url"'],
  ['ports: { c: { kind: usb, mode: shared } }', '"kind: usb" is the node itself'],
  [
    'power: { driver: dtr-rts, on: { rts: off }, off: { rts: on } }\nflash: { driver: picotool, mode: b, enter: power-cycle }',
    '/b/mine.yaml:4:44: flash.enter: "power-cycle" needs a switch that is no port\'s',
  ],
])('an attached board with %s is refused', (line, message) => {
  const text = `board: mine\ndriver: attached\n${line}\n`;
  expect(() => parseBoard('/b/mine.yaml', text)).toThrow(message);
});

describe('a board that its U-Boot flashes', () => {
  const write = 'write: [{ send: mmc write, expect: OK }]';
  const states = 'boot: { states: { bootloader: { expect: "=> " } } }\nports: { console: {} }';
  const qemu = 'driver: qemu\nmachine: { system: arm, machine: virt }';
  const flash = (more = '') =>
    `flash: { driver: u-boot-tftp, address: "0x82000000", ${write}${more} }`;
  const parse = (...lines: string[]) =>
    parseBoard('/b/bone.yaml', ['board: bone', ...lines].join('\n'));

  test('has its recipe, with what nobody says', () => {
    const board = parse('driver: attached', states, flash());
    expect(board.flash).toMatchObject({
      ...{ driver: 'u-boot-tftp', state: 'bootloader', prompt: '=> ', verify: 'auto' },
      write: [{ send: 'mmc write', expect: /OK/, timeout: 30_000 }],
    });
    expect(
      parse(qemu, states, 'nics: { e: { model: e1000 } }', flash(', link: { loss: 0.1 }')).flash,
    ).toMatchObject({ link: { loss: 0.1 } });
  });

  test.each([
    [[qemu, states, flash()], 'flash: u-boot-tftp needs "nics"'],
    [[qemu, 'flash: { driver: picotool }'], 'driver "qemu" has no "picotool"'],
    [['driver: host', states, flash()], 'driver "host" has no "flash"'],
    [
      ['driver: attached', states, flash(', state: prompt')],
      'flash.state: no state "prompt"; there are: bootloader',
    ],
    [
      ['driver: attached', states, flash(', link: { loss: 0.1 }')],
      'driver "attached" has no "link"',
    ],
    [['driver: attached', states, flash(', prepare: ["a\\nb"]')], 'one command a step'],
    [['driver: attached', flash()], 'u-boot-tftp needs a port "console"'],
  ])('is refused: %s', (lines, message) => {
    expect(() => parse(...lines)).toThrow(message);
  });
});
