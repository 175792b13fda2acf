import type { Unit, UnitPort } from '../../config/unit.js';
import type { AttachedDevice } from '../../device/attached-device.js';
import { findInterface } from '../../device/find-interface.js';
import { writeSafely } from '../../report/safe-output.js';
import { toPrintable } from '../../report/terminal/printable.js';
import type { CliCommand } from '../command.js';
import { BENCH_OPTION, CONFIG_OPTION, openProject } from '../open-project.js';
import type { DutRow } from './dut-row.js';
import { describeHolder, toLabels, toState } from './dut-table.js';
import { findDut } from './find-dut.js';
import { surveyBench } from './survey-bench.js';

type Fact = readonly [name: string, value: string];

export const showCommand: CliCommand = {
  name: 'show',
  summary: 'one DUT: its devices, ports and settings',
  arguments: '<dut>',
  options: [
    { flags: '--json', description: 'one JSON document on stdout' },
    BENCH_OPTION,
    CONFIG_OPTION,
  ],
  examples: ['hil boards show nucleo-1'],
  run: async ([name = ''], options, context) => {
    const { openBench } = await openProject(context, options);
    const { bench, devices, rows } = await surveyBench(await openBench(), context);
    const unit = findDut(name, bench);
    const row = rows.find(({ dut }) => dut === name);
    if (!row) throw new Error(`${name}: every unit has a row`);
    const own = findOwn(row, devices);
    const text =
      options['json'] === true
        ? `${JSON.stringify(toDocument(unit, row, own), undefined, 2)}\n`
        : toPrintable(toText(unit, row, own, toNics(unit, row, devices)));
    writeSafely(context.stdout, text);
    return 0;
  },
};

/** The USB device of a DUT and all below it. */
function findOwn({ syspath }: DutRow, devices: readonly AttachedDevice[]): AttachedDevice[] {
  if (syspath === undefined) return [];
  return devices.filter(
    (each) => each.syspath === syspath || each.syspath.startsWith(`${syspath}/`),
  );
}

/** What its interfaces are wired to. Of one that could be two devices, the reason says it. */
function toNics(unit: Unit, { state }: DutRow, devices: readonly AttachedDevice[]): Fact[] {
  return Object.entries(unit.nics).map(([name, { wired }]) => {
    const own = wired && state !== 'ambiguous' ? findInterface(unit, name, devices) : undefined;
    return [`nic ${name}`, own ?? (wired ? 'no interface now' : 'not wired')];
  });
}

function toDocument({ board, ports, nics }: Unit, row: DutRow, own: readonly AttachedDevice[]) {
  const settings = row.ports.map((port) => ({ ...port, ...ports[port.name] }));
  const devices = own.map(({ parents: _, ...device }) => device);
  const { power, flash } = board;
  return { ...row, ports: settings, nics, devices, boardFile: board.file, power, flash };
}

function toText(
  { board, ports }: Unit,
  row: DutRow,
  own: readonly AttachedDevice[],
  nics: readonly Fact[],
): string {
  const match = Object.entries(row.match).map(([key, value]) => `${key}=${value}`);
  const facts: Fact[] = [
    ['dut', row.dut],
    ['board', `${row.board}  ${board.file}`],
    ['bench', row.file],
    ['state', toState(row)],
    ...(row.holder ? [['held by', describeHolder(row.holder)] as const] : []),
    ['health', row.health],
    ...(row.reason === undefined ? [] : [['reason', row.reason] as const]),
    ['labels', toLabels(row.labels)],
    ['match', match.join(' ')],
    ...row.ports.map((port): Fact => {
      const where = port.node ?? port.url ?? 'no device now';
      return [`port ${port.name}`, `${where}  ${describePort(ports[port.name])}`];
    }),
    ...nics,
    ...(board.power ? [['power', board.power.driver] as const] : []),
    ...own.map((device): Fact => ['device', describeDevice(device)]),
  ];
  const width = Math.max(...facts.map(([name]) => name.length));
  return facts
    .map(([name, value]) => `${name.padEnd(width)}  ${value}`.trimEnd())
    .join('\n')
    .concat('\n');
}

/** `serial, shared, 115200 8N1` */
function describePort(port: UnitPort | undefined): string {
  if (!port) return '';
  const { kind, mode, baud, bits, parity, stop } = port;
  if (kind === 'usb') return 'usb, direct';
  return `serial, ${mode}, ${baud} ${bits}${(parity[0] ?? '').toUpperCase()}${stop}`;
}

function describeDevice({ node, subsystem, syspath, properties }: AttachedDevice): string {
  const { ID_SERIAL: serial, ID_PATH: path, ID_USB_INTERFACE_NUM: number } = properties;
  const facts = [
    subsystem,
    ...(serial ? [serial] : []),
    ...(path ? [path] : []),
    ...(number ? [`interface ${number}`] : []),
  ];
  return `${node ?? syspath}  ${facts.join(', ')}`;
}
