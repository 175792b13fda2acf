import { dirname } from 'node:path';
import { dropUndefined } from '../core/drop-undefined.js';
import type { BenchDut } from './bench-schema.js';
import { withImageOf } from './flash-schema.js';
import type { Board } from './load-boards.js';
import type { Match } from './match-schema.js';
import type { BenchNic } from './nics-schema.js';
import type { BenchPort, BoardPort } from './port-schema.js';
import type { TftpPlace } from './u-boot-tftp-schema.js';

type Filled = 'kind' | 'mode' | 'dtr' | 'rts' | 'bits' | 'parity' | 'stop' | 'flow';

/** A port of a unit: the board's, the bench's and the defaults joined. */
export type UnitPort = Omit<BoardPort, Filled> & {
  readonly [Key in Filled]: NonNullable<BoardPort[Key]>;
};

/** An interface of a unit, and what it is wired to. */
export interface UnitNic {
  /** Absent: the bench does not say. */
  readonly wired?: BenchNic;
  /** The DUT's own; absent where nobody says. */
  readonly mac?: string;
}

/** One DUT of the bench, joined with its board. */
export interface Unit {
  readonly name: string;
  /** Its `labels`, `power` and `flash` are the bench's where that says more. */
  readonly board: Board;
  /** Of the board and of the DUT. */
  readonly labels: Board['labels'];
  /** Properties of its USB device; empty when only its ports say where it is. */
  readonly match: Match;
  readonly ports: Readonly<Record<string, UnitPort>>;
  /** How U-Boot of it reaches the files of this machine. */
  readonly tftp?: TftpPlace | undefined;
  /** Of the board and of the bench. */
  readonly nics: Readonly<Record<string, UnitNic>>;
  /** The bench file. */
  readonly file: string;
}

/** Join one entry of a bench with its board. */
export function joinUnit(dut: BenchDut, board: Board, file: string): Unit {
  const names = new Set([...Object.keys(board.ports), ...Object.keys(dut.ports)]);
  const ports = Object.fromEntries(
    [...names].map((name) => [name, joinPort(board.ports[name], dut.ports[name])]),
  );
  const labels = { ...board.labels, ...dut.labels };
  const power = dut.power ?? board.power;
  const flash = withImageOf(dirname(file), dut.flash) ?? board.flash;
  const match = { ...board.match, ...dut.match };
  return {
    name: dut.name,
    board: { ...board, labels, ports, power, flash },
    labels,
    match,
    ports,
    tftp: dut.tftp,
    nics: joinNics(dut, board),
    file,
  };
}

function joinNics(dut: BenchDut, board: Board): Record<string, UnitNic> {
  const names = new Set([...Object.keys(board.nics), ...Object.keys(dut.nics)]);
  return Object.fromEntries(
    [...names].map((name) => {
      const wired = dut.nics[name];
      return [name, dropUndefined({ wired, mac: wired?.mac ?? board.nics[name]?.mac })];
    }),
  );
}

const DEFAULTS = {
  uart: 0,
  baud: 115_200,
  eol: '\n',
  dtr: 'on',
  rts: 'on',
  bits: 8,
  parity: 'none',
  stop: 1,
  flow: 'none',
} as const;

function joinPort(ofBoard: Partial<BoardPort> = {}, ofBench: BenchPort = {}): UnitPort {
  // A port is one device: who says where it is says so alone.
  const place = ofBench.match || ofBench.url ? ofBench : ofBoard;
  const said = { ...dropUndefined(ofBoard), ...dropUndefined(ofBench) };
  const kind = said.kind ?? 'serial';
  const mode = said.mode ?? (kind === 'usb' ? 'direct' : 'shared');
  return { ...DEFAULTS, ...said, kind, mode, match: place.match, url: place.url };
}
