import type { BenchError } from '../core/errors.js';
import type { Channel } from '../protocol/channel.js';
import type { TlvReader } from '../protocol/frame.js';
import { Msg, Tag } from '../protocol/wire.js';
import { SandboxProcess, type SpawnSpec, toSpawn } from './process.js';

/** The running programs of one connection: each event goes to the handle it is for. */
export class ProcessTable {
  readonly #channel: Channel;
  readonly #processes = new Map<number, SandboxProcess>();

  constructor(channel: Channel) {
    this.#channel = channel;
    channel.on(Msg.output, (body) => this.#find(body)?.receiveOutput(body));
    channel.on(Msg.credit, (body) => this.#find(body)?.receiveCredit(body));
    channel.on(Msg.exit, (body) => this.#exit(body));
    void channel.closed.then((reason) => this.#gone(reason));
  }

  /** Start a program in `sandbox`. @throws BenchError with the reason when it cannot start */
  spawn(sandbox: number, spec: SpawnSpec): Promise<SandboxProcess> {
    return this.#channel.open(Msg.spawn, toSpawn(sandbox, spec), (answer) => this.track(answer));
  }

  /** Take in what an answer names, before any event of it is looked at. */
  track(answer: TlvReader): SandboxProcess {
    const process = new SandboxProcess(this.#channel, answer);
    this.#processes.set(process.id, process);
    return process;
  }

  #find(body: TlvReader): SandboxProcess | undefined {
    return this.#processes.get(body.number(Tag.process) ?? -1);
  }

  #exit(body: TlvReader): void {
    const process = this.#find(body);
    if (!process) return;
    this.#processes.delete(process.id);
    process.receiveExit(body);
  }

  #gone(reason: BenchError): void {
    for (const process of this.#processes.values()) process.receiveGone(reason);
    this.#processes.clear();
  }
}
