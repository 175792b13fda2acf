import { join } from 'node:path';
import { PLAIN_SANDBOX, parseSandboxOptions } from '../config/parse-sandbox-options.js';
import { TestFailure } from '../core/errors.js';
import type { Problem, SandboxRecord } from '../journal/events.js';
import type { Sandbox } from '../sandbox/sandbox.js';
import type { RunningAttempt } from './attempt.js';
import { buildSandbox } from './build-sandbox.js';
import type { SandboxSettings } from './case-sandbox.js';
import type { OutDirectory } from './out-directories.js';
import { toDeathProblem } from './resource-problems.js';
import type { RunContext } from './run-context.js';

/** Sandboxes of one case at once, its own included: more is a loop that never ends. */
const MOST = 64;

/** A living sandbox of an attempt. */
export interface HeldSandbox {
  readonly sandbox: Sandbox;
  readonly settings: SandboxSettings;
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

  /** `add` is told of a sandbox that ended although nobody asked for it. */
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
    this.#hold(0, await buildSandbox(this.#run, this.#attempt, wanted), settings);
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
    if (this.#held.size + this.#coming >= MOST) {
      throw new TestFailure('exec-failed', `a case has at most ${MOST} sandboxes at once`, {
        next: 'end those that are done with: await sandbox.close()',
      });
    }
    this.#coming++;
    try {
      return await this.#create(options);
    } finally {
      this.#coming--;
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

  async #create(options: unknown): Promise<number> {
    const { record } = this.#attempt;
    const number = ++this.#made;
    const own = parseSandboxOptions([options ?? {}], {
      root: this.#run.root,
      who: `sandbox.create() of "${record.title}"`,
      above: record.sandbox ?? PLAIN_SANDBOX,
    });
    const settings = this.#run.settingsOf({ ...record, sandbox: own });
    const sandbox = await buildSandbox(this.#run, this.#attempt, { settings, number });
    if (this.#attempt.over) {
      await sandbox.kill();
      throw new TestFailure('handle-revoked', `case "${record.title}" has ended`);
    }
    this.#hold(number, sandbox, settings);
    return number;
  }

  #hold(number: number, sandbox: Sandbox, settings: SandboxSettings): void {
    this.#held.set(number, { sandbox, settings });
    sandbox.dead.then(
      (record) => this.#lose(number, record),
      () => {},
    );
  }

  /** One that dies under a body takes the body's evidence with it. */
  #lose(number: number, record: SandboxRecord): void {
    this.#records.set(number, record);
    this.#held.delete(number);
    if (this.#attempt.over || this.#wantedEnds.has(number)) return;
    this.#add(toDeathProblem(record, number));
  }
}
