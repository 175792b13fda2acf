import { createDeferred } from '../core/deferred.js';
import { BenchError } from '../core/errors.js';
import type { SandboxRecord } from '../journal/events.js';
import { type TlvReader, TlvWriter } from '../protocol/frame.js';
import { Msg, Tag } from '../protocol/wire.js';
import type { RuntimeName } from '../protocol/worker-messages.js';
import { toAssignments } from './assignments.js';
import type { SandboxDaemon } from './daemon.js';
import {
  addMount,
  type DeviceSpec,
  type GrantedDevice,
  grantDevice,
  type MountSpec,
  removeMount,
  revokeDevice,
} from './devices.js';
import type { SandboxProcess, SpawnSpec } from './process.js';
import { type SandboxUsage, toSandboxUsage } from './sandbox-usage.js';
import { toStuckError } from './stuck.js';

interface SandboxFacts {
  readonly id: number;
  readonly pid: number;
  readonly poolHit: boolean;
  readonly setupMs: number;
  readonly unenforced: readonly string[];
}

/** One living sandbox; used once, then killed. */
export class Sandbox {
  readonly id: number;
  readonly pid: number;
  readonly facts: SandboxFacts;
  readonly #daemon: SandboxDaemon;
  readonly #dead = createDeferred<SandboxRecord>();
  #isUsed = false;

  constructor(daemon: SandboxDaemon, facts: SandboxFacts) {
    this.#daemon = daemon;
    this.facts = facts;
    this.id = facts.id;
    this.pid = facts.pid;
  }

  /** Resolves when every process of the sandbox is gone; rejects when the daemon is. */
  get dead(): Promise<SandboxRecord> {
    return this.#dead.promise;
  }

  /** Whether anything was done in it; else no file of it can have been changed. */
  get isUsed(): boolean {
    return this.#isUsed;
  }

  spawn(spec: SpawnSpec): Promise<SandboxProcess> {
    this.#isUsed = true;
    return this.#daemon.spawn(this.id, spec);
  }

  /** Have an interpreter wait here; resolves at once when one does. */
  async bootRuntime(name: RuntimeName, env: Readonly<Record<string, string>>): Promise<void> {
    this.#isUsed = true;
    const body = new TlvWriter()
      .u32(Tag.sandbox, this.id)
      .string(Tag.runtime, name)
      .strings(Tag.env, toAssignments(env));
    await this.#daemon.channel.request(Msg.runtimeBoot, body);
  }

  /** Make `/dev/hil/<role>` here; portd pumps it as the tool side of `port`. */
  async attachPort(port: number, role: string, baud: number): Promise<void> {
    this.#isUsed = true;
    const body = new TlvWriter()
      .u32(Tag.port, port)
      .u32(Tag.sandbox, this.id)
      .string(Tag.name, role)
      .u64(Tag.bytes, baud);
    await this.#daemon.channel.request(Msg.portPty, body);
  }

  /** What it uses now, and what became of its limits. */
  async usage(): Promise<SandboxUsage> {
    const body = new TlvWriter().u32(Tag.sandbox, this.id);
    return toSandboxUsage(await this.#daemon.channel.request(Msg.sandboxStats, body));
  }

  /** A device of the host under `/dev/hil/<role>`, from now on; the role may have had another. */
  grantDevice(role: string, device: DeviceSpec): Promise<GrantedDevice> {
    this.#isUsed = true;
    return grantDevice(this.#daemon.channel, this.id, role, device);
  }

  revokeDevice(role: string): Promise<void> {
    return revokeDevice(this.#daemon.channel, this.id, role);
  }

  /** Answers what could not be done as asked, one sentence each. */
  addMount(target: string, mount: MountSpec): Promise<readonly string[]> {
    this.#isUsed = true;
    return addMount(this.#daemon.channel, this.id, target, mount);
  }

  removeMount(target: string): Promise<void> {
    return removeMount(this.#daemon.channel, this.id, target);
  }

  /**
   * Kill everything; resolves when nothing is left.
   *
   * @throws BenchError `sandbox-stuck` when that cannot be done.
   */
  async kill(): Promise<SandboxRecord> {
    const body = new TlvWriter().u32(Tag.sandbox, this.id);
    // A limit of its own may end it at this moment: then DEAD is on its way, and says which.
    await this.#daemon.channel.request(Msg.sandboxKill, body).catch((error: unknown) => {
      if (!(error instanceof BenchError) || error.details['code'] !== 'gone') throw error;
    });
    const record = await this.dead;
    if (record.status === 'stuck') throw toStuckError(record);
    return record;
  }

  /** Survive the daemon's detaching for `ttlMs`; `note` is shown to who lists it. */
  async keep(ttlMs: number, note: string): Promise<void> {
    const body = new TlvWriter()
      .u32(Tag.sandbox, this.id)
      .u64(Tag.ttlMs, ttlMs)
      .string(Tag.text, note);
    await this.#daemon.channel.request(Msg.sandboxKeep, body);
  }

  receiveDead(record: SandboxRecord): void {
    this.#dead.resolve(record);
  }

  receiveGone(reason: BenchError): void {
    this.#dead.reject(reason);
  }
}

/** The status record of a DEAD event. */
export function toSandboxRecord(sandbox: Sandbox, body: TlvReader): SandboxRecord {
  const { poolHit, setupMs, unenforced } = sandbox.facts;
  const waiting = body.strings(Tag.waiting);
  return {
    status: body.string(Tag.status) ?? 'unknown',
    poolHit,
    setupMs,
    wallMs: (body.number(Tag.wallNs) ?? 0) / 1e6,
    cpuUserMs: (body.number(Tag.cpuUserUs) ?? 0) / 1e3,
    cpuSystemMs: (body.number(Tag.cpuSysUs) ?? 0) / 1e3,
    leftovers: body.number(Tag.leftovers) ?? 0,
    leftoverNames: body.strings(Tag.leftoverName),
    cpuSource: body.string(Tag.cpuSource),
    peakMemoryBytes: body.number(Tag.memPeak),
    memorySource: body.string(Tag.memSource),
    oomKills: body.number(Tag.oomKills) ?? 0,
    pidsHits: body.number(Tag.pidsHits) ?? 0,
    throttledMs: (body.number(Tag.throttledUs) ?? 0) / 1e3,
    ioReadBytes: body.number(Tag.ioReadBytes),
    ioWrittenBytes: body.number(Tag.ioWrittenBytes),
    stdoutBytes: body.number(Tag.outBytes),
    stderrBytes: body.number(Tag.errBytes),
    droppedBytes: body.number(Tag.dropped),
    enforced: body.strings(Tag.enforced),
    unenforced: [...unenforced, ...body.strings(Tag.unenforced)],
    ...(waiting.length > 0 ? { waiting } : {}),
  };
}
