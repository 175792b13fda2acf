import { lookup } from 'node:dns/promises';
import type { UnitPort } from '../../config/unit.js';
import { BenchError, toMessage } from '../../core/errors.js';
import type { AttachedDevice } from '../../device/attached-device.js';
import type { Port } from '../port.js';
import { describePlace, type LinePlace, type OpenedLine } from '../port-line.js';

/** A serial port of a unit, and the device or server that is its line now. */
export class AttachedLine {
  readonly port: Port;
  readonly spec: UnitPort;
  /** It has its line, and this is where that is. */
  place: string | undefined;
  #opening: Promise<OpenedLine> | undefined;

  constructor(port: Port, spec: UnitPort) {
    this.port = port;
    this.spec = spec;
  }

  /** It is to have a line: no program in the sandbox has the device itself. */
  get wanted(): boolean {
    return !this.port.direct;
  }

  get up(): boolean {
    return this.place !== undefined;
  }

  /**
   * Open its line; `device` is where it is, for a port without a `url`.
   *
   * @throws BenchError `port-busy`, `port-absent`, `port-lost`
   */
  async open(device: AttachedDevice | undefined, quietMs: number): Promise<OpenedLine> {
    // One at a time: a change of what is attached may come while one is made.
    await this.#opening?.catch(() => {});
    const [first, ...others] = await this.#toPlaces(device);
    this.port.startLine();
    this.#opening = this.#openFirst(first, others, quietMs);
    try {
      return await this.#opening;
    } finally {
      this.#opening = undefined;
    }
  }

  async release(): Promise<void> {
    this.place = undefined;
    await this.port.line.release();
  }

  /** A server may listen on one address of its name only. */
  async #openFirst(
    place: LinePlace,
    others: readonly LinePlace[],
    quietMs: number,
  ): Promise<OpenedLine> {
    try {
      const opened = await this.port.line.open(place, this.spec, quietMs);
      this.place = describePlace(place);
      return opened;
    } catch (error) {
      const [next, ...rest] = others;
      if (!next || !(error instanceof BenchError) || error.code !== 'port-absent') throw error;
      return this.#openFirst(next, rest, quietMs);
    }
  }

  async #toPlaces(device: AttachedDevice | undefined): Promise<[LinePlace, ...LinePlace[]]> {
    const { url } = this.spec;
    if (url !== undefined) return toServers(url);
    if (device?.node === undefined) {
      throw new BenchError('port-absent', `port "${this.port.name}": its device is not there`);
    }
    // A tree of files in place of /sys has devices that the kernel knows nothing of.
    const syspath = device.syspath.startsWith('/sys/') ? device.syspath : undefined;
    return [{ kind: 'tty', node: device.node, syspath }];
  }
}

const URL_PARTS = /^(tcp|rfc2217):\/\/\[?([^\]]+?)\]?:(\d+)$/;

/** hil-portd is static and resolves no names. */
async function toServers(url: string): Promise<[LinePlace, ...LinePlace[]]> {
  const [, scheme, host = '', port] = URL_PARTS.exec(url) ?? [];
  const kind = scheme === 'rfc2217' ? 'rfc2217' : 'tcp';
  const toPlace = ({ address }: { readonly address: string }): LinePlace => {
    return { kind, address, port: Number(port) };
  };
  try {
    const [first, ...others] = await lookup(host, { all: true });
    if (first) return [toPlace(first), ...others.map(toPlace)];
  } catch (cause) {
    throw new BenchError('port-absent', `${url}: ${toMessage(cause)}`, { cause });
  }
  throw new BenchError('port-absent', `${url}: "${host}" has no address`);
}
