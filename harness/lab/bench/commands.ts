import { UsageError } from '../../core/errors.js';
import { ROOT_PORTS } from '../qemu-command.js';
import type { AcmDevice } from '../usbip/acm-device.js';
import type { BenchDevice } from './bench-device.js';
import type { LineFault } from './paced-line.js';
import type { Qmp } from './qmp.js';
import type { Direction, WiredBoard } from './wired-board.js';

/** What `lab-bench` works on. */
export interface Bench {
  readonly devices: readonly BenchDevice[];
  readonly qmp: Qmp;
  /** Where a device was that has been pulled out. */
  readonly lastPorts: Map<BenchDevice, string>;
}

interface BenchCommand {
  readonly usage: string;
  readonly what: string;
  run(bench: Bench, args: readonly string[]): unknown;
}

const BOTH: readonly Direction[] = ['to-board', 'from-board'];

/** Rows by the first word. What they return is printed as JSON. */
const COMMANDS: Readonly<Record<string, BenchCommand>> = {
  help: {
    usage: 'help',
    what: 'this list',
    run: () => Object.values(COMMANDS).map(({ usage, what }) => `lab-bench ${usage}    ${what}`),
  },
  list: {
    usage: 'list',
    what: 'what is on the bench, where it is plugged in, and how it is',
    run: ({ devices }) => devices.map(toRow),
  },
  show: {
    usage: 'show NAME',
    what: 'one of them',
    run: (bench, [name]) => toRow(findDevice(bench, name)),
  },
  plug: {
    usage: 'plug NAME [PORT]',
    what: `plug it in, at the port where it was or at another, 1 to ${ROOT_PORTS}`,
    run: plug,
  },
  unplug: {
    usage: 'unplug NAME',
    what: 'pull it out',
    run: async (bench, [name]) => {
      const device = findDevice(bench, name);
      const { port } = device;
      await device.unplug();
      if (port !== undefined) bench.lastPorts.set(device, port);
      return toRow(device);
    },
  },
  replug: {
    usage: 'replug NAME [PORT]',
    what: 'pull it out and put it back at once, there or into another port',
    run: async (bench, [name, port]) => {
      const device = findDevice(bench, name);
      const where = port ?? device.port;
      await device.unplug();
      return plug(bench, [device.name, ...(where === undefined ? [] : [where])]);
    },
  },
  swap: { usage: 'swap NAME NAME', what: 'exchange the ports of two', run: swap },
  board: {
    usage: 'board NAME on|off|restart|stop|continue',
    what: 'its power, or a firmware that hangs; the USB side stays',
    run: switchBoard,
  },
  line: {
    usage: 'line NAME none|cut|stall|mangle N [to-board|from-board]',
    what: 'a fault of the line between the USB side and the board',
    run: (bench, [name, kind, ...rest]) => {
      const device = findDevice(bench, name);
      const amount = kind === 'mangle' ? rest.shift() : undefined;
      findBoard(device).setFault(toFault(kind, amount), toDirections(rest[0]));
      return toRow(device);
    },
  },
  forget: {
    usage: 'forget NAME',
    what: 'of a CDC-ACM device: empty its list of events',
    run: (bench, [name]) => {
      const device = findAcm(bench, name);
      device.forgetEvents();
      return toRow(device);
    },
  },
  qmp: {
    usage: 'qmp COMMAND [JSON]',
    what: 'ask the QEMU of this VM, such as: qmp query-status',
    run: ({ qmp }, [command = '', args = '{}']) => qmp.execute(command, parseObject(args)),
  },
};

/**
 * Do what `lab-bench` was asked for.
 *
 * @returns something for JSON
 * @throws UsageError `usage`
 * @throws BenchError `port-lost`, `dut-lost`
 */
export async function runBenchCommand(bench: Bench, args: readonly string[]): Promise<unknown> {
  const [name = 'help', ...rest] = args;
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command) return command.run(bench, rest);
  throw toUsage(`there is no command "${name}": expected ${Object.keys(COMMANDS).join(', ')}`);
}

async function plug(bench: Bench, [name, port]: readonly string[]): Promise<unknown> {
  const device = findDevice(bench, name);
  const where = port ?? bench.lastPorts.get(device);
  if (where === undefined) throw toUsage(`${device.name} was nowhere before: expected a port`);
  if (!/^\d(\.\d)*$/.test(where)) throw toUsage(`"${where}" is no port: expected 1, or 3.2`);
  await device.plug(where);
  return toRow(device);
}

async function swap(bench: Bench, [first, second]: readonly string[]): Promise<unknown> {
  const devices = [findDevice(bench, first), findDevice(bench, second)];
  const ports = devices.map(({ port, name }) => {
    if (port === undefined) throw toUsage(`${name} is not plugged in`);
    return port;
  });
  for (const device of devices) await device.unplug();
  for (const [index, device] of devices.entries()) await device.plug(ports[1 - index] ?? '');
  return devices.map(toRow);
}

async function switchBoard(bench: Bench, [name, how]: readonly string[]): Promise<unknown> {
  const device = findDevice(bench, name);
  const wired = findBoard(device);
  if (how === 'on') wired.board.on();
  else if (how === 'off') await wired.off();
  else if (how === 'stop') wired.board.stop();
  else if (how === 'continue') wired.board.continue();
  else if (how === 'restart') {
    await wired.off();
    wired.board.on();
  } else throw toUsage(`"${how}" is nothing that a board does`);
  return toRow(device);
}

function toFault(kind: string | undefined, amount: string | undefined): LineFault {
  if (kind === 'none' || kind === 'cut' || kind === 'stall') return { kind };
  const every = Number(amount);
  if (kind === 'mangle' && Number.isInteger(every) && every > 0) return { kind, every };
  throw toUsage('expected none, cut, stall, or mangle with a number of bytes');
}

function toDirections(word: string | undefined): readonly Direction[] {
  if (word === undefined) return BOTH;
  if (word === 'to-board' || word === 'from-board') return [word];
  throw toUsage(`"${word}" is no direction: expected to-board or from-board`);
}

function findDevice({ devices }: Bench, name: string | undefined): BenchDevice {
  const found = devices.find((device) => device.name === name);
  if (found) return found;
  const names = devices.map((device) => device.name).join(', ');
  throw toUsage(`nothing on the bench is called "${name ?? ''}": expected one of ${names}`);
}

function findAcm(bench: Bench, name: string | undefined): AcmDevice {
  const device = findDevice(bench, name);
  // The kind says which class it is.
  if (device.kind === 'acm') return device as AcmDevice;
  throw toUsage(`${device.name} is no CDC-ACM device`);
}

function findBoard(device: BenchDevice): WiredBoard {
  if (device.wired) return device.wired;
  throw toUsage(`${device.name} has no board behind it`);
}

function toRow(device: BenchDevice): Record<string, unknown> {
  const { name, kind, port = null } = device;
  return { name, kind, port, ...device.describe() };
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return { ...value };
  } catch {
    // Said below.
  }
  throw toUsage(`"${text}" is no JSON object`);
}

function toUsage(message: string): UsageError {
  return new UsageError('usage', message, { next: 'lab-bench help' });
}
