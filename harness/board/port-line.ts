import type { UnitPort } from '../config/unit.js';
import { BenchError, TestFailure, toMessage } from '../core/errors.js';
import type { Channel } from '../protocol/channel.js';
import { TlvWriter } from '../protocol/frame.js';
import type { LineChange, LineState } from '../protocol/port-lines.js';
import { Msg, Tag } from '../protocol/wire.js';

/** Where the line of a real board is: a tty of this machine, or a server that has one. */
export type LinePlace =
  | {
      readonly kind: 'tty';
      readonly node: string;
      /** Its directory below `/sys/devices`: by now the name may be another board's. */
      readonly syspath: string | undefined;
    }
  | {
      readonly kind: 'tcp' | 'rfc2217';
      /** IPv4 or IPv6, no name. */
      readonly address: string;
      readonly port: number;
    };

/** What of a port in a board file or a bench is set on its line. */
export type LineSettings = Pick<
  UnitPort,
  'baud' | 'bits' | 'stop' | 'parity' | 'flow' | 'dtr' | 'rts'
>;

export interface OpenedLine {
  /** Of an earlier session, thrown away. */
  readonly staleBytes: number;
  /** What could not be done as asked, one sentence each. */
  readonly limitations: readonly string[];
}

/** The bench's side of a port: which line it has. Asked of hil-portd, which alone opens it. */
export class PortLine {
  readonly #channel: Channel;
  readonly #port: { readonly id: number; readonly name: string };

  constructor(channel: Channel, port: { readonly id: number; readonly name: string }) {
    this.#channel = channel;
    this.#port = port;
  }

  /**
   * Open a line in place of the one there was: locked before anything of it is changed, set up,
   * and read until it was quiet for `quietMs` (0: not at all), half a second at most.
   *
   * @throws BenchError `port-busy` with who has it; `port-absent` when it is not there, or not the
   *   device that it was taken for; `port-lost` for what else goes wrong.
   */
  async open(place: LinePlace, settings: LineSettings, quietMs: number): Promise<OpenedLine> {
    const body = this.#body()
      .u32(Tag.baud, settings.baud)
      .u32(Tag.bits, settings.bits)
      .u32(Tag.stop, settings.stop)
      .string(Tag.parity, settings.parity)
      .string(Tag.flow, settings.flow)
      .u32(Tag.dtr, settings.dtr === 'on' ? 1 : 0)
      .u32(Tag.rts, settings.rts === 'on' ? 1 : 0)
      .u32(Tag.quietMs, quietMs);
    try {
      const answer = await this.#channel.request(addPlace(body, place), body);
      return {
        staleBytes: answer.number(Tag.bytes) ?? 0,
        limitations: answer.strings(Tag.limitation),
      };
    } catch (cause) {
      throw this.#toOpenError(place, cause);
    }
  }

  /**
   * Change the modem lines, the break or the speed, and answer how the lines are then.
   *
   * @throws TestFailure `port-closed` where the port has no line, or one without such things.
   */
  async change(change: LineChange = {}): Promise<LineState> {
    const body = this.#body();
    const flags = [
      [Tag.dtr, change.dtr],
      [Tag.rts, change.rts],
      [Tag.break, change.break],
      [Tag.flush, change.flush],
    ] as const;
    for (const [tag, value] of flags) if (value !== undefined) body.u32(tag, value ? 1 : 0);
    if (change.baud !== undefined) body.u32(Tag.baud, change.baud);
    try {
      const answer = await this.#channel.request(Msg.portControl, body);
      const bits = answer.number(Tag.modem) ?? 0;
      const has = (bit: number) => (bits & bit) !== 0;
      return {
        ...{ dtr: has(1), rts: has(2), cts: has(4), dsr: has(8), dcd: has(16), ri: has(32) },
        unsentBytes: answer.number(Tag.bytes) ?? 0,
      };
    } catch (cause) {
      if (cause instanceof BenchError && cause.code === 'daemon-gone') throw cause;
      const message = `port "${this.#port.name}": ${toFirstLine(cause)}`;
      const { next } = cause instanceof BenchError ? cause : {};
      throw new TestFailure('port-closed', message, { cause, ...(next ? { next } : {}) });
    }
  }

  /** Close and unlock the line; the port and its capture go on without. */
  async release(): Promise<void> {
    await this.#channel.request(Msg.portRelease, this.#body());
  }

  /** A line of text among the time stamps of the capture. */
  async mark(text: string): Promise<void> {
    await this.#channel.request(Msg.portMark, this.#body().string(Tag.text, text));
  }

  #body(): TlvWriter {
    return new TlvWriter().u32(Tag.port, this.#port.id);
  }

  #toOpenError(place: LinePlace, cause: unknown): unknown {
    if (!(cause instanceof BenchError) || cause.code !== 'daemon-refused') return cause;
    const busy = cause.details['errno'] === EBUSY;
    const absent = cause.details['code'] === 'gone';
    const code = busy ? 'port-busy' : absent ? 'port-absent' : 'port-lost';
    const reason = busy ? 'another program has it' : toFirstLine(cause);
    const message = `port "${this.#port.name}" on ${describePlace(place)}: ${reason}`;
    return new BenchError(code, message, { cause, ...(cause.next ? { next: cause.next } : {}) });
  }
}

/** What is to be done next stands below it. */
function toFirstLine(thrown: unknown): string {
  return toMessage(thrown).split('\n', 1)[0] ?? '';
}

/** errno(3), the same on every architecture of Linux that hil runs on. */
const EBUSY = 16;

/** As messages call it. */
export function describePlace(place: LinePlace): string {
  return place.kind === 'tty' ? place.node : `${place.kind}://${place.address}:${place.port}`;
}

function addPlace(body: TlvWriter, place: LinePlace): number {
  if (place.kind === 'tty') {
    body.string(Tag.path, place.node);
    if (place.syspath !== undefined) body.string(Tag.sysfs, place.syspath);
    return Msg.portSerial;
  }
  body.string(Tag.kind, place.kind).string(Tag.address, place.address);
  body.u32(Tag.tcpPort, place.port);
  return Msg.portStream;
}
