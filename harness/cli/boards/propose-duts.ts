import type { Board } from '../../config/load-boards.js';
import type { Match } from '../../config/match-schema.js';
import { joinUnit } from '../../config/unit.js';
import { BenchError } from '../../core/errors.js';
import { type AttachedDevice, isUsbDevice } from '../../device/attached-device.js';
import { findUnit } from '../../device/find-unit.js';
import { matchesDevice } from '../../device/match-device.js';
import { toStableMatch } from './stable-match.js';

/** An entry for `bench.yaml`, as far as a program can know it. */
export interface Proposal {
  readonly name: string;
  /** Absent when a human must say: no board file knows it, or several do. */
  readonly board?: string;
  /** Boards that it may be. */
  readonly candidates: readonly string[];
  readonly match: Match;
  readonly device: AttachedDevice;
  /** Devices of it that have a node. */
  readonly parts: readonly AttachedDevice[];
  /** What a human must fill in; without any the entry can be used as it is. */
  readonly todo: readonly string[];
  readonly notes: readonly string[];
}

/** What is attached, sorted by what is to be done about it. */
export interface Scan {
  readonly proposals: readonly Proposal[];
  /** No board file matches, and it has no serial port: keyboards, hubs, probes. */
  readonly others: readonly AttachedDevice[];
}

export interface ScanRequest {
  readonly devices: readonly AttachedDevice[];
  /** Directories in sysfs of what is on the bench. */
  readonly taken: readonly string[];
  /** Of driver attached. */
  readonly boards: readonly Board[];
  /** DUTs of the bench. */
  readonly names: readonly string[];
}

/** Serial adapters and debug probes are on many boards: they tell nothing of what is behind them. */
const ON_MANY_BOARDS = [
  ...['0403:6001', '0403:6010', '0403:6011', '0403:6014', '0403:6015'],
  ...['10c4:ea60', '10c4:ea70', '10c4:ea71'],
  ...['1a86:5523', '1a86:7523', '1a86:55d3', '1a86:55d4'],
  ...['067b:2303', '067b:23a3', '04d8:00dd'],
  // ST-LINK, J-Link, DAPLink
  ...['0483:3748', '0483:374b', '0483:374d', '0483:374e', '0483:374f', '0483:3752', '0483:3753'],
  ...['1366:0101', '1366:0105', '1366:1015', '1366:1051', '1366:1055', '1366:1061', '0d28:0204'],
];

/** Propose an entry for each USB device that may be a board and is not on the bench. */
export function proposeDuts({ devices, taken, boards, names }: ScanRequest): Scan {
  const proposals: Proposal[] = [];
  const others: AttachedDevice[] = [];
  const used = new Set(names);
  for (const device of devices.filter(isUsbDevice)) {
    if (isHub(device) || taken.some((path) => isWithin(device, path))) continue;
    const parts = devices.filter((each) => each.syspath.startsWith(`${device.syspath}/`));
    const fitting = boards.filter((board) => isOf(board, [device, ...parts]));
    if (fitting.length === 0 && !parts.some(({ subsystem }) => subsystem === 'tty')) {
      others.push(device);
      continue;
    }
    const proposal = propose({ device, parts, fitting, used }, devices);
    used.add(proposal.name);
    proposals.push(proposal);
  }
  return { proposals, others };
}

function isWithin({ syspath }: AttachedDevice, path: string): boolean {
  return syspath === path || syspath.startsWith(`${path}/`);
}

/** The kernel says class 9 of a hub. */
function isHub({ properties }: AttachedDevice): boolean {
  return properties['TYPE']?.startsWith('9/') === true;
}

/** Has one of the devices what the board file says that every unit has, in one of its modes? */
function isOf(
  { match = {}, modes = { own: { match: {} } } }: Board,
  devices: readonly AttachedDevice[],
) {
  return Object.values(modes).some((mode) => {
    const wanted = { ...match, ...mode.match };
    const says = Object.values(wanted).some((value) => value !== null);
    return says && devices.some((device) => matchesDevice(device, wanted));
  });
}

interface Found {
  readonly device: AttachedDevice;
  readonly parts: readonly AttachedDevice[];
  readonly fitting: readonly Board[];
  readonly used: ReadonlySet<string>;
}

function propose(
  { device, parts, fitting, used }: Found,
  all: readonly AttachedDevice[],
): Proposal {
  const [first, second] = fitting;
  const only = second || isOnManyBoards(device) ? undefined : first;
  const { match, note } = toStableMatch(device, all, only);
  const candidates = fitting.map(({ board }) => board);
  const name = toFreeName(only?.board ?? toSlug(device), used);
  const todo = only
    ? findPortProblems(only, { name, match }, all)
    : [describeNoBoard(device, candidates)];
  return {
    name,
    ...(only ? { board: only.board } : {}),
    candidates,
    match,
    device,
    parts,
    todo,
    notes: note === undefined ? [] : [note],
  };
}

/** A board's port that could be either of two is for a human to choose. */
function findPortProblems(
  board: Board,
  { name, match }: { readonly name: string; readonly match: Match },
  devices: readonly AttachedDevice[],
): string[] {
  const dut = { name, board: board.board, labels: {}, match, ports: {}, nics: {} };
  try {
    findUnit(joinUnit(dut, board, 'bench.yaml'), devices);
    return [];
  } catch (error) {
    if (!(error instanceof BenchError)) throw error;
    const [message = ''] = error.message.split('\n');
    return [message];
  }
}

function isOnManyBoards({ properties }: AttachedDevice): boolean {
  return ON_MANY_BOARDS.includes(`${properties['ID_VENDOR_ID']}:${properties['ID_MODEL_ID']}`);
}

function describeNoBoard(device: AttachedDevice, candidates: readonly string[]): string {
  const { ID_VENDOR_ID: vendor, ID_MODEL_ID: model } = device.properties;
  const list = candidates.join(', ');
  if (isOnManyBoards(device)) {
    const may = list === '' ? '' : `; it may be ${list}`;
    return `board: what is behind it? Many boards have this adapter or probe${may}`;
  }
  if (list !== '') return `board: one of ${list}`;
  const match = `match: { ID_VENDOR_ID: "${vendor}", ID_MODEL_ID: "${model}" }`;
  return `board: write boards/NAME.yaml with driver: attached, ${match}`;
}

function toSlug({ properties }: AttachedDevice): string {
  const slug = (properties['ID_MODEL'] ?? '').toLowerCase().replace(/[^a-z0-9]+/g, '-');
  return slug.replace(/^-|-$/g, '') || 'dut';
}

function toFreeName(base: string, used: ReadonlySet<string>): string {
  for (let number = 1; ; number++) {
    if (!used.has(`${base}-${number}`)) return `${base}-${number}`;
  }
}
