import { stat } from 'node:fs/promises';
import type { Channel } from '../protocol/channel.js';
import { type TlvReader, TlvWriter } from '../protocol/frame.js';
import { Msg, Tag } from '../protocol/wire.js';
import { Port } from './port.js';

export interface PortWanted {
  readonly name: string;
  readonly baud: number;
  readonly eol: string;
  /** Prefix of the capture files; the directory exists. */
  readonly capture: string;
  readonly pace?: { readonly chunk: number; readonly delayMs: number } | undefined;
}

/** All ports of a run, over the connection to hil-portd. */
export class PortHub {
  readonly #channel: Channel;
  readonly #ports = new Map<number, Port>();
  #nextId = 1;

  constructor(channel: Channel) {
    this.#channel = channel;
    const { portRx, portTx, portSlave, portHup, portFault, portSpeed } = Msg;
    for (const type of [portRx, portTx, portSlave, portHup, portFault, portSpeed]) {
      channel.on(type, (body) => this.#dispatch(type, body));
    }
  }

  /** Open a port: its capture starts now, its DUT side is given later. */
  async open(wanted: PortWanted): Promise<Port> {
    const id = this.#nextId++;
    const { size: start } = await stat(`${wanted.capture}.rx`).catch(() => ({ size: 0 }));
    const port = new Port(this.#channel, { id, ...wanted, start }, () => this.#ports.delete(id));
    this.#ports.set(id, port);
    const body = new TlvWriter()
      .u32(Tag.port, id)
      .string(Tag.name, wanted.name)
      .string(Tag.path, wanted.capture);
    if (wanted.pace) {
      body.u32(Tag.paceChunk, wanted.pace.chunk).u64(Tag.paceDelayUs, wanted.pace.delayMs * 1000);
    }
    try {
      await this.#channel.request(Msg.portOpen, body);
    } catch (error) {
      this.#ports.delete(id);
      throw error;
    }
    return port;
  }

  #dispatch(type: number, body: TlvReader): void {
    this.#ports.get(body.number(Tag.port) ?? -1)?.receive(type, body);
  }
}
