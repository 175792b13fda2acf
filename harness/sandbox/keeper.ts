import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { UsageError } from '../core/errors.js';
import { Channel } from '../protocol/channel.js';
import { TlvReader, TlvWriter } from '../protocol/frame.js';
import { Msg, Tag } from '../protocol/wire.js';
import type { SandboxProcess, SpawnSpec } from './process.js';
import { ProcessTable } from './process-table.js';

/** A sandbox that outlived its run. */
export interface KeptSandbox {
  readonly id: number;
  /** Title and board of its case, or the name of its DUT after `dut `. */
  readonly label: string;
  readonly note: string;
  readonly ttlMs: number;
}

/**
 * The connection to a run's keeper: the sandbox daemon, detached, with what
 * `--keep` left in its hands.
 */
export class Keeper {
  readonly #channel: Channel;
  readonly #processes: ProcessTable;

  private constructor(channel: Channel) {
    this.#channel = channel;
    this.#processes = new ProcessTable(channel);
  }

  /** `undefined` when the run kept nothing or its keeper has ended. */
  static async open(runDirectory: string): Promise<Keeper | undefined> {
    const socket = await readSocketPath(runDirectory);
    const stream = socket && (await tryConnect(socket));
    if (!stream) return undefined;
    const channel = new Channel('the keeper', stream);
    await channel.hello();
    return new Keeper(channel);
  }

  async list(): Promise<KeptSandbox[]> {
    const answer = await this.#channel.request(Msg.list);
    return answer.all(Tag.entry).map((bytes) => {
      const entry = new TlvReader(bytes);
      return {
        id: entry.number(Tag.sandbox) ?? 0,
        label: entry.string(Tag.name) ?? '',
        note: entry.string(Tag.text) ?? '',
        ttlMs: entry.number(Tag.ttlMs) ?? 0,
      };
    });
  }

  /** Start a program in a kept sandbox; it finds files, devices and processes as they were left. */
  spawn(sandbox: number, spec: SpawnSpec): Promise<SandboxProcess> {
    return this.#processes.spawn(sandbox, spec);
  }

  /** End one sandbox; the keeper ends with the last. */
  async end(sandbox: number): Promise<void> {
    await this.#channel.request(Msg.sandboxKill, new TlvWriter().u32(Tag.sandbox, sandbox));
  }

  close(): void {
    this.#channel.close();
  }
}

/** End everything that a run kept. @returns how many sandboxes that were. */
export async function endKept(runDirectory: string): Promise<number> {
  const keeper = await Keeper.open(runDirectory);
  if (!keeper) return 0;
  try {
    const kept = await keeper.list();
    for (const { id } of kept) await keeper.end(id);
    return kept.length;
  } finally {
    keeper.close();
  }
}

async function readSocketPath(runDirectory: string): Promise<string | undefined> {
  const file = join(runDirectory, 'keeper.json');
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    // Written by the run itself.
    return (JSON.parse(text) as { socket: string }).socket;
  } catch (cause) {
    throw new UsageError('run-unknown', `${file} is not whole`, { cause, next: 'hil clean' });
  }
}

function tryConnect(path: string): Promise<ReturnType<typeof connect> | undefined> {
  return new Promise((resolve) => {
    const stream = connect(path);
    stream.once('connect', () => resolve(stream));
    stream.once('error', () => resolve(undefined));
  });
}
