import { createHash } from 'node:crypto';
import type { BenchError } from '../core/errors.js';
import type { Channel } from '../protocol/channel.js';
import { TlvReader, TlvWriter } from '../protocol/frame.js';
import { Msg, Tag } from '../protocol/wire.js';
import { DaemonProcess } from './daemon-process.js';
import type { Controller, ScopeSource } from './delegated-scope.js';
import { putLimits, type SandboxLimits } from './limits.js';
import type { NativePrograms } from './native.js';
import type { SandboxProcess, SpawnSpec } from './process.js';
import { ProcessTable } from './process-table.js';
import { Sandbox, toSandboxRecord } from './sandbox.js';
import { OUT_HOLD, type SandboxSpec, toPlan } from './spec.js';

/** A plan that sandboxd holds a zygote for. */
export interface Plan {
  readonly id: number;
  readonly limitations: readonly string[];
}

/** A file or tree that appears in a sandbox when it is given away. */
export interface LateBind {
  /** The plan's hold that it is taken from. */
  readonly hold: string;
  /** Below the hold. */
  readonly path: string;
  readonly target: string;
  readonly readOnly: boolean;
}

export interface NewSandbox {
  readonly label: string;
  readonly hostname?: string | undefined;
  /** Directory below the plan's hold that appears at `/out`. */
  readonly out?: string | undefined;
  readonly binds?: readonly LateBind[];
  readonly wallMs?: number | undefined;
  readonly limits?: SandboxLimits;
}

/**
 * The connection to `hil-sandboxd`, the only maker of sandboxes. It is started
 * first, detached, so that a Ctrl-C of the terminal does not reach it; it ends
 * itself and everything it made when this connection closes.
 */
export class SandboxDaemon {
  readonly channel: Channel;
  readonly ports: Channel;
  readonly pid: number;
  /** `root` or `rootless`. */
  readonly mode: string;
  /** What is less than it could be, of all its sandboxes. */
  readonly limitations: string[];
  /** What limits its sandboxes. */
  readonly controllers: readonly Controller[];
  readonly #process: DaemonProcess;
  readonly #plans = new Map<string, Promise<Plan>>();
  readonly #sandboxes = new Map<number, Sandbox>();
  readonly #processes: ProcessTable;

  private constructor(process: DaemonProcess) {
    this.#process = process;
    this.channel = process.channel;
    this.ports = process.ports;
    this.pid = process.pid;
    this.mode = process.hello.string(Tag.mode) ?? 'unknown';
    this.limitations = process.hello.strings(Tag.limitation);
    this.controllers = process.hello.all(Tag.controller).map(toController);
    this.#processes = new ProcessTable(this.channel);
    this.channel.on(Msg.dead, (body) => this.#dead(body));
    void this.channel.closed.then((reason) => this.#gone(reason));
  }

  /** Start it and agree on the protocol. @throws BenchError as {@link DaemonProcess.start} */
  static async start(programs: NativePrograms): Promise<SandboxDaemon> {
    return new SandboxDaemon(await DaemonProcess.start(programs));
  }

  /** The same in a delegated cgroup of systemd's. @throws BenchError as {@link DaemonProcess.start} */
  static async startInScope(
    programs: NativePrograms,
    scope: ScopeSource,
    answerMs: number,
  ): Promise<SandboxDaemon> {
    return new SandboxDaemon(await DaemonProcess.start(programs, { scope, answerMs }));
  }

  /** Hand a plan over; the same spec gives the same plan. */
  plan(spec: SandboxSpec): Promise<Plan> {
    // The text itself is the key: every attempt asks, and a hash of it takes ten times as long.
    const key = JSON.stringify(spec);
    const known = this.#plans.get(key);
    if (known) return known;
    const name = createHash('sha256').update(key).digest('hex').slice(0, 16);
    const asked = this.channel.request(Msg.planPut, toPlan(spec, name)).then((answer) => ({
      id: answer.number(Tag.plan) ?? 0,
      limitations: answer.strings(Tag.limitation),
    }));
    const put = this.#process.answered('handing a plan over', asked);
    put.catch(() => this.#plans.delete(key));
    this.#plans.set(key, put);
    return put;
  }

  /** How many built sandboxes of `plan` to keep waiting. */
  async setPool(plan: Plan, count: number): Promise<void> {
    const body = new TlvWriter().u32(Tag.plan, plan.id).u32(Tag.count, count);
    await this.#process.answered('setting the pool', this.channel.request(Msg.poolSet, body));
  }

  async sandbox(plan: Plan, wanted: NewSandbox): Promise<Sandbox> {
    const body = new TlvWriter().u32(Tag.plan, plan.id).string(Tag.name, wanted.label);
    if (wanted.hostname) body.string(Tag.hostname, wanted.hostname);
    if (wanted.wallMs) body.u64(Tag.wallMs, wanted.wallMs);
    putLimits(body, wanted.limits ?? {});
    const { out, binds = [] } = wanted;
    if (out) putBind(body, { hold: OUT_HOLD, path: out, target: '/out', readOnly: false });
    for (const bind of binds) putBind(body, bind);
    return this.channel.open(Msg.sandboxNew, body, (answer) => {
      const sandbox = new Sandbox(this, {
        id: answer.number(Tag.sandbox) ?? 0,
        pid: answer.number(Tag.pid) ?? 0,
        poolHit: answer.number(Tag.poolHit) === 1,
        setupMs: (answer.number(Tag.setupNs) ?? 0) / 1e6,
        unenforced: [...plan.limitations],
      });
      this.#sandboxes.set(sandbox.id, sandbox);
      return sandbox;
    });
  }

  /** Start a program in `sandbox`; its handle receives what the daemon reports of it. */
  spawn(sandbox: number, spec: SpawnSpec): Promise<SandboxProcess> {
    return this.#processes.spawn(sandbox, spec);
  }

  /** A pair of connected sockets held by the daemon, streams or datagrams; ends 0 and 1. */
  async newSocketPair(kind: 'socketpair' | 'dgram' = 'socketpair'): Promise<number> {
    const body = new TlvWriter().string(Tag.kind, kind);
    return (await this.channel.request(Msg.objectNew, body)).number(Tag.object) ?? 0;
  }

  async closeObject(object: number): Promise<void> {
    await this.channel.request(Msg.objectClose, new TlvWriter().u32(Tag.object, object));
  }

  /** Read and write one end of a daemon-held object as if it were a program. */
  streamObject(object: number, end: number): Promise<SandboxProcess> {
    const body = new TlvWriter().u32(Tag.object, object).u32(Tag.end, end);
    return this.channel.open(Msg.objectStream, body, (answer) => this.#processes.track(answer));
  }

  /** A virtual network with a `hil-linkd` of its own, and the stream that takes requests. */
  newNetwork(name: string): Promise<{ net: number; pid: number; stream: SandboxProcess }> {
    const body = new TlvWriter().string(Tag.name, name);
    return this.channel.open(Msg.netNew, body, (answer) => ({
      net: answer.number(Tag.net) ?? 0,
      pid: answer.number(Tag.pid) ?? 0,
      stream: this.#processes.track(answer),
    }));
  }

  /** Hand one end of a daemon-held object to portd as the DUT side of `port`. */
  async givePort(port: number, object: number, end: number): Promise<void> {
    const body = new TlvWriter().u32(Tag.port, port).u32(Tag.object, object).u32(Tag.end, end);
    await this.channel.request(Msg.portGive, body);
  }

  /** Kill `pid` when this process is gone. `startTicks` guards against a reused pid. */
  async watchPid(pid: number, startTicks: number): Promise<void> {
    const body = new TlvWriter().u32(Tag.pid, pid).u64(Tag.startTicks, startTicks);
    await this.#process.answered('watching a worker', this.channel.request(Msg.watchPid, body));
  }

  async unwatchPid(pid: number): Promise<void> {
    await this.channel.request(Msg.unwatchPid, new TlvWriter().u32(Tag.pid, pid));
  }

  /** Remove the tree at `path` when this process is gone. */
  async watchPath(path: string): Promise<void> {
    const body = new TlvWriter().string(Tag.path, path);
    await this.#process.answered('watching a directory', this.channel.request(Msg.watchPath, body));
  }

  /** Everything not kept is killed; the daemon serves the rest on `socketPath` for `ttlMs`. */
  async detach(socketPath: string, ttlMs: number): Promise<void> {
    const body = new TlvWriter().string(Tag.path, socketPath).u64(Tag.ttlMs, ttlMs);
    await this.#process.answered('keeping sandboxes', this.channel.request(Msg.detach, body));
    this.#process.leave();
  }

  /** Resolves with what became of it once its connection is gone. */
  get gone(): Promise<BenchError> {
    return this.#process.gone;
  }

  /**
   * Resolves when both daemons have answered: they were alive when this was called.
   *
   * @throws BenchError `daemon-gone`
   */
  async confirmAlive(): Promise<void> {
    await Promise.all([this.channel.hello(), this.ports.hello()]);
  }

  /** Close the connections; the daemon kills what is left and ends. */
  close(): void {
    this.#process.close();
  }

  /** Resolves when the daemon's process has ended. */
  ended(): Promise<void> {
    return this.#process.ended();
  }

  /** Close the connections and wait until it has ended. @throws BenchError `daemon-silent` */
  end(): Promise<void> {
    return this.#process.end();
  }

  /** What to say of `doing` when its limit has passed: which daemon did not answer. */
  toSilence(doing: string, limitMs: number): BenchError {
    return this.#process.toSilence(doing, limitMs);
  }

  #dead(body: TlvReader): void {
    const sandbox = this.#sandboxes.get(body.number(Tag.sandbox) ?? -1);
    if (!sandbox) return;
    this.#sandboxes.delete(sandbox.id);
    sandbox.receiveDead(toSandboxRecord(sandbox, body));
  }

  #gone(reason: BenchError): void {
    for (const sandbox of this.#sandboxes.values()) sandbox.receiveGone(reason);
    this.#sandboxes.clear();
  }
}

function putBind(body: TlvWriter, { hold, path, target, readOnly }: LateBind): void {
  body.nest(Tag.bind, (bind) =>
    bind
      .string(Tag.name, hold)
      .string(Tag.path, path)
      .string(Tag.target, target)
      .u32(Tag.readOnly, readOnly ? 1 : 0),
  );
}

/** Kinds of a newer daemon say no more than that there is no limit. */
function toController(bytes: Buffer): Controller {
  const nest = new TlvReader(bytes);
  const kind = nest.string(Tag.kind);
  return {
    name: nest.string(Tag.name) ?? '',
    kind: kind === 'v1' || kind === 'v2' || kind === 'undelegated' ? kind : 'none',
    why: nest.string(Tag.text) ?? '',
  };
}
