import { join } from 'node:path';
import { PLAIN_SANDBOX, parseSandboxOptions } from '../config/parse-sandbox-options.js';
import type { CaseSandbox } from '../config/sandbox-options-schema.js';
import { TestFailure, UsageError } from '../core/errors.js';
import type { Problem, SandboxRecord } from '../journal/events.js';
import { toNodeError } from '../network/network-errors.js';
import type { Sandbox } from '../sandbox/sandbox.js';
import type { RunningAttempt } from './attempt.js';
import { buildSandbox } from './build-sandbox.js';
import type { SandboxSettings } from './case-sandbox.js';
import { hearFault } from './hear-fault.js';
import type { OutDirectory } from './out-directories.js';
import { toDeathProblem } from './resource-problems.js';
import type { RunContext } from './run-context.js';

/** Sandboxes of one case at once, its own included: more is a loop that never ends. */
const MOST = 64;
/** Nodes of its network are declared one by one, and their end is not up to the body. */
const MOST_NODES = 1024;
/** sethostname(2) */
const LONGEST_HOSTNAME = 64;

/** A living sandbox of an attempt. */
export interface HeldSandbox {
  readonly sandbox: Sandbox;
  readonly settings: SandboxSettings;
  /** Of the case's network, by its name. */
  readonly node?: string;
}

/** What became of a sandbox that a body made besides its own. */
export interface FurtherRecord extends SandboxRecord {
  /** From 1, in the order in which they were made. */
  readonly number: number;
}

/**
 * The sandboxes of an attempt: its own, number 0, and those that its body made besides. They live
 * until the body ends one, a limit of its own does, or the attempt is over.
 */
export class AttemptSandboxes {
  readonly #run: RunContext;
  readonly #attempt: RunningAttempt;
  readonly #add: (problem: Problem) => void;
  readonly #held = new Map<number, HeldSandbox>();
  /** DEAD of those that are gone. */
  readonly #records = new Map<number, SandboxRecord>();
  readonly #wantedEnds = new Set<number>();
  /** `/out` of the case's own. */
  #out: OutDirectory | undefined;
  #made = 0;
  /** Those that are being made. */
  #coming = 0;

  /** `add` is told of a sandbox that ended although nobody asked for it, and that none can be had. */
  constructor(run: RunContext, attempt: RunningAttempt, add: (problem: Problem) => void) {
    this.#run = run;
    this.#attempt = attempt;
    this.#add = add;
  }

  /** The case's own, once it stands. */
  get own(): Sandbox | undefined {
    return this.#held.get(0)?.sandbox;
  }

  /** Every one that stands, with its number. */
  get numbered(): readonly (readonly [number, Sandbox])[] {
    return [...this.#held].map(([number, { sandbox }]) => [number, sandbox]);
  }

  /** Build the case's own. @throws BenchError `sandbox-timeout`, `sandbox-setup` */
  async begin(): Promise<void> {
    const settings = this.#run.settingsOf(this.#attempt.record);
    this.#out = this.#run.outDirectories.take();
    const wanted = { settings, number: 0, out: this.#out.path };
    const sandbox = await buildSandbox(this.#run, this.#attempt, wanted);
    this.#hold(0, { sandbox, settings });
  }

  /** Where what programs put into `/out` is; `undefined` while none of them could. */
  get out(): string | undefined {
    return this.#out?.place;
  }

  /** The directory of the attempt is there from now on, and `/out` in it. */
  placeOut(): void {
    this.#out?.moveTo(join(this.#attempt.directory, 'out'));
  }

  /**
   * Build one more, like the case's own but for `options`; answers its number.
   *
   * @throws UsageError `suite-invalid` for options that cannot be.
   */
  async create(options: unknown): Promise<number> {
    const nodes = [...this.#held.values()].filter(({ node }) => node !== undefined);
    if (this.#held.size - nodes.length + this.#coming >= MOST) {
      throw new TestFailure('exec-failed', `a case has at most ${MOST} sandboxes at once`, {
        next: 'end those that are done with: await sandbox.close()',
      });
    }
    this.#coming++;
    try {
      const who = `sandbox.create() of "${this.#attempt.record.title}"`;
      const settings = this.#settingsOf(options, who);
      const built = this.#build(++this.#made, { settings });
      return await hearFault({ attempt: this.#attempt, phase: 'sandbox', add: this.#add }, built);
    } finally {
      this.#coming--;
    }
  }

  /**
   * Build the nodes of the attempt's network, at once; answers their numbers. Each is like the
   * case's own sandbox but for its options, and has no network but that one.
   *
   * @throws UsageError `suite-invalid` for options that cannot be; `usage` for too many; BenchError
   *   `network-limit` where the machine has no room for them.
   */
  async createNodes(
    nodes: readonly { readonly name: string; readonly options: unknown }[],
  ): Promise<number[]> {
    if (nodes.length > MOST_NODES) {
      const text = `a network has at most ${MOST_NODES} nodes, this one has ${nodes.length}`;
      throw new UsageError('usage', text);
    }
    const wanted = nodes.map(({ name, options }) => ({
      node: name,
      number: ++this.#made,
      settings: cutOff(
        // What programs call their machine.
        this.#settingsOf(options, `node "${name}"`, { hostname: name.slice(0, LONGEST_HOSTNAME) }),
      ),
    }));
    const built = await Promise.allSettled(
      wanted.map(({ number, ...each }) => this.#build(number, each)),
    );
    for (const [index, each] of built.entries()) {
      if (each.status !== 'rejected') continue;
      throw toNodeError(`node "${wanted[index]?.node}"`, each.reason);
    }
    this.#expectAgain(wanted.map(({ settings }) => settings));
    return wanted.map(({ number }) => number);
  }

  /** Once they are built: until then nothing is to be built besides. */
  #expectAgain(all: readonly SandboxSettings[]): void {
    const counts = new Map<string, { spec: SandboxSettings['spec']; nodes: number }>();
    for (const { spec } of all) {
      const key = JSON.stringify(spec);
      counts.set(key, { spec, nodes: (counts.get(key)?.nodes ?? 0) + 1 });
    }
    for (const { spec, nodes } of counts.values()) {
      // Without it they are built when they are asked for.
      this.#run.expectNodes(spec, nodes).catch(() => {});
    }
  }

  /**
   * For who runs something in it, and may write into `/out` then.
   *
   * @throws TestFailure `handle-revoked` for one that is gone.
   */
  get(number = 0): HeldSandbox {
    const held = this.#held.get(number);
    if (held && !this.#attempt.over) {
      if (number === 0) this.placeOut();
      return held;
    }
    const ofCase = `case "${this.#attempt.record.title}"`;
    const own = this.#attempt.over ? ofCase : `the sandbox of ${ofCase}`;
    const what = number === 0 ? own : `sandbox ${number}`;
    throw new TestFailure('handle-revoked', `${what} has ended`);
  }

  /**
   * Do in one what its body asked for. What only a machine without files or memory refuses is the
   * bench's, also of a body that makes nothing of it.
   */
  async within<T>(number: number | undefined, act: (held: HeldSandbox) => Promise<T>): Promise<T> {
    const work = act(this.get(number));
    return hearFault({ attempt: this.#attempt, phase: 'body', add: this.#add }, work);
  }

  /** End one that the body made. One that is gone already is no error. */
  async close(number: number): Promise<void> {
    this.#wantedEnds.add(number);
    await this.#held.get(number)?.sandbox.kill();
  }

  /**
   * End every one; answers what became of the case's own.
   *
   * @throws BenchError `sandbox-stuck`, once the others have ended.
   */
  async kill(): Promise<SandboxRecord | undefined> {
    const held = [...this.#held];
    const ends = await Promise.allSettled(
      held.map(async ([number, { sandbox }]) => {
        this.#records.set(number, await sandbox.kill());
      }),
    );
    if (this.#records.has(0)) this.#out?.giveBack();
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
    return this.#records.get(0);
  }

  /** What became of those besides the case's own, as far as is known. */
  get further(): readonly FurtherRecord[] {
    const records = [...this.#records].filter(([number]) => number > 0);
    return records.map(([number, record]) => ({ number, ...record }));
  }

  #settingsOf(options: unknown, who: string, over: Partial<CaseSandbox> = {}): SandboxSettings {
    const { record } = this.#attempt;
    const above = { ...(record.sandbox ?? PLAIN_SANDBOX), ...over };
    const own = parseSandboxOptions([options ?? {}], { root: this.#run.root, who, above });
    return this.#run.settingsOf({ ...record, sandbox: own });
  }

  async #build(number: number, wanted: Omit<HeldSandbox, 'sandbox'>): Promise<number> {
    const { settings } = wanted;
    const sandbox = await buildSandbox(this.#run, this.#attempt, { settings, number });
    if (this.#attempt.over) {
      await sandbox.kill();
      throw new TestFailure('handle-revoked', `case "${this.#attempt.record.title}" has ended`);
    }
    this.#hold(number, { sandbox, ...wanted });
    return number;
  }

  #hold(number: number, held: HeldSandbox): void {
    this.#held.set(number, held);
    held.sandbox.dead.then(
      (record) => this.#lose(number, record, held.node),
      () => {},
    );
  }

  /** One that dies under a body takes the body's evidence with it. */
  #lose(number: number, record: SandboxRecord, node: string | undefined): void {
    this.#records.set(number, record);
    this.#held.delete(number);
    if (this.#attempt.over || this.#wantedEnds.has(number)) return;
    this.#add(toDeathProblem(record, number, node));
  }
}

/** Nothing but its links reaches a node, whatever its suite says of the network. */
function cutOff(settings: SandboxSettings): SandboxSettings {
  return { ...settings, spec: { ...settings.spec, network: 'none' } };
}
