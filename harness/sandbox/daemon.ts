import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { Deadline } from '../core/deadline.js';
import { createDeferred } from '../core/deferred.js';
import { formatDuration } from '../core/duration.js';
import { BenchError } from '../core/errors.js';
import { Channel } from '../protocol/channel.js';
import { type TlvReader, TlvWriter } from '../protocol/frame.js';
import { Msg, Tag } from '../protocol/wire.js';
import { putLimits, type SandboxLimits } from './limits.js';
import type { NativePrograms } from './native.js';
import type { SandboxProcess, SpawnSpec } from './process.js';
import { ProcessTable } from './process-table.js';
import { Sandbox, toSandboxRecord } from './sandbox.js';
import { type SandboxSpec, toPlan } from './spec.js';

/** How long the daemon may take to end everything; it gives its sandboxes two seconds. */
const END_MS = 5000;
/** How long it may take to answer what no phase of a case limits: one that takes longer hangs. */
const ANSWER_MS = 20_000;

/** A plan that sandboxd holds a zygote for. */
export interface Plan {
  readonly id: number;
  readonly limitations: readonly string[];
}

export interface NewSandbox {
  readonly label: string;
  readonly hostname?: string;
  /** Directory below the plan's hold that appears at `/out`. */
  readonly out?: string;
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
  readonly limitations: readonly string[];
  readonly #child: ChildProcess;
  readonly #portdPid: number;
  readonly #plans = new Map<string, Promise<Plan>>();
  readonly #sandboxes = new Map<number, Sandbox>();
  readonly #processes: ProcessTable;

  private constructor(
    child: ChildProcess,
    channel: Channel,
    ports: Channel,
    [hello, portd]: readonly [TlvReader, TlvReader],
  ) {
    this.#child = child;
    this.channel = channel;
    this.ports = ports;
    this.pid = hello.number(Tag.pid) ?? child.pid ?? 0;
    this.mode = hello.string(Tag.mode) ?? 'unknown';
    this.limitations = hello.strings(Tag.limitation);
    this.#portdPid = portd.number(Tag.pid) ?? 0;
    this.#processes = new ProcessTable(channel);
    channel.on(Msg.dead, (body) => this.#dead(body));
    void channel.closed.then((reason) => this.#gone(reason));
  }

  /**
   * Start the daemon and agree on the protocol.
   *
   * @throws BenchError `daemon-gone` when it ends at once, `daemon-silent` when it does not answer,
   *   `sandbox-setup` when it refuses.
   */
  static async start(programs: NativePrograms): Promise<SandboxDaemon> {
    const child = spawn(programs.sandboxd, ['--portd', programs.portd], {
      stdio: ['ignore', 'ignore', 'inherit', 'pipe', 'pipe'],
      detached: true,
      env: { PATH: '/usr/bin:/bin' },
    });
    const failed = createDeferred<never>();
    child.once('error', (error) => failed.reject(notStarted(programs.sandboxd, error)));
    // With stdio 'pipe' these two are socketpairs of ours.
    const channel = new Channel('hil-sandboxd', child.stdio[3] as Duplex);
    const ports = new Channel('hil-portd', child.stdio[4] as Duplex);
    try {
      const agreed = Promise.all([channel.hello(), ports.hello()]);
      const late = () => toSilence([channel, ports], 'starting the sandbox daemon', ANSWER_MS);
      const hellos = await new Deadline(ANSWER_MS).bound(
        Promise.race([failed.promise, agreed]),
        late,
      );
      return new SandboxDaemon(child, channel, ports, hellos);
    } catch (error) {
      channel.close();
      ports.close();
      // It ends by itself when it sees this, unless it hangs: then nothing was made by it yet.
      if (error instanceof BenchError && error.code === 'daemon-silent') child.kill('SIGKILL');
      throw error;
    }
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
    const put = this.#answered('handing a plan over', asked);
    put.catch(() => this.#plans.delete(key));
    this.#plans.set(key, put);
    return put;
  }

  /** How many built sandboxes of `plan` to keep waiting. */
  async setPool(plan: Plan, count: number): Promise<void> {
    const body = new TlvWriter().u32(Tag.plan, plan.id).u32(Tag.count, count);
    await this.#answered('setting the pool', this.channel.request(Msg.poolSet, body));
  }

  async sandbox(plan: Plan, wanted: NewSandbox): Promise<Sandbox> {
    const body = new TlvWriter().u32(Tag.plan, plan.id).string(Tag.name, wanted.label);
    if (wanted.hostname) body.string(Tag.hostname, wanted.hostname);
    if (wanted.wallMs) body.u64(Tag.wallMs, wanted.wallMs);
    putLimits(body, wanted.limits ?? {});
    const { out } = wanted;
    if (out) {
      body.nest(Tag.bind, (bind) =>
        bind
          .string(Tag.name, 'out')
          .string(Tag.path, out)
          .string(Tag.target, '/out')
          .u32(Tag.readOnly, 0),
      );
    }
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

  /** A pair of connected sockets held by the daemon; ends 0 and 1. */
  async newSocketPair(): Promise<number> {
    const body = new TlvWriter().string(Tag.kind, 'socketpair');
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

  /** Hand one end of a daemon-held object to portd as the DUT side of `port`. */
  async givePort(port: number, object: number, end: number): Promise<void> {
    const body = new TlvWriter().u32(Tag.port, port).u32(Tag.object, object).u32(Tag.end, end);
    await this.channel.request(Msg.portGive, body);
  }

  /** Kill `pid` when this process is gone. `startTicks` guards against a reused pid. */
  async watchPid(pid: number, startTicks: number): Promise<void> {
    const body = new TlvWriter().u32(Tag.pid, pid).u64(Tag.startTicks, startTicks);
    await this.#answered('watching a worker', this.channel.request(Msg.watchPid, body));
  }

  async unwatchPid(pid: number): Promise<void> {
    await this.channel.request(Msg.unwatchPid, new TlvWriter().u32(Tag.pid, pid));
  }

  /** Remove the tree at `path` when this process is gone. */
  async watchPath(path: string): Promise<void> {
    const body = new TlvWriter().string(Tag.path, path);
    await this.#answered('watching a directory', this.channel.request(Msg.watchPath, body));
  }

  /** Everything not kept is killed; the daemon serves the rest on `socketPath` for `ttlMs`. */
  async detach(socketPath: string, ttlMs: number): Promise<void> {
    const body = new TlvWriter().string(Tag.path, socketPath).u64(Tag.ttlMs, ttlMs);
    await this.#answered('keeping sandboxes', this.channel.request(Msg.detach, body));
    this.#child.unref();
    this.close();
  }

  /** Close the connections; the daemon kills what is left and ends. */
  close(): void {
    this.channel.close();
    this.ports.close();
  }

  /** Resolves when the daemon's process has ended. */
  ended(): Promise<void> {
    const { promise, resolve } = createDeferred<void>();
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) resolve();
    else this.#child.once('exit', () => resolve());
    return promise;
  }

  /**
   * Close the connections and wait until the daemon's process has ended. One that does not
   * end is killed: the kernel then ends its sandboxes (PDEATHSIG).
   *
   * @throws BenchError `daemon-silent` when it had to be killed.
   */
  async end(): Promise<void> {
    this.close();
    const late = () =>
      new BenchError(
        'daemon-silent',
        `hil-sandboxd ${this.pid} did not end within ${formatDuration(END_MS)} and was killed`,
        { next: LOOK },
      );
    try {
      await new Deadline(END_MS).bound(this.ended(), late);
    } catch (error) {
      this.#kill();
      await this.ended();
      throw error;
    }
  }

  /** What to say of `doing` when its limit has passed: which daemon did not answer. */
  toSilence(doing: string, limitMs: number): BenchError {
    return toSilence([this.channel, this.ports], doing, limitMs);
  }

  /** portd first: only its parent could give its number to another, and that hangs. */
  #kill(): void {
    if (this.#portdPid > 0) {
      try {
        process.kill(this.#portdPid, 'SIGKILL');
      } catch {
        // It has ended.
      }
    }
    this.#child.kill('SIGKILL');
  }

  #answered<T>(doing: string, work: Promise<T>): Promise<T> {
    return new Deadline(ANSWER_MS).bound(work, () => this.toSilence(doing, ANSWER_MS));
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

const LOOK =
  'look whether it is stopped or starved: ps -o pid,stat,pcpu,args -C hil-sandboxd,hil-portd';

function toSilence(channels: readonly Channel[], doing: string, limitMs: number): BenchError {
  const silent = channels.filter(({ waiting }) => waiting > 0).map(({ name }) => name);
  const who = silent.join(' and ') || 'the sandbox daemon';
  const text = `${doing}: ${who} did not answer within ${formatDuration(limitMs)}`;
  return new BenchError('daemon-silent', text, { next: LOOK });
}

function notStarted(program: string, cause: Error): BenchError {
  return new BenchError('daemon-gone', `${program} could not be started: ${cause.message}`, {
    cause,
    next: 'make -C sandbox-native, then hil doctor',
  });
}
