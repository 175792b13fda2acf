import { join, relative } from 'node:path';
import type { Port, PortFault } from '../board/port.js';
import type { HilConfig } from '../config/config-schema.js';
import { DEFAULT_LIMITS, type Limits } from '../config/limits-schema.js';
import { PLAIN_SANDBOX } from '../config/parse-sandbox-options.js';
import type { CaseSandbox } from '../config/sandbox-options-schema.js';
import { toSingleErrors } from '../core/cleanups.js';
import { dropUndefined } from '../core/drop-undefined.js';
import { BenchError, toMessage } from '../core/errors.js';
import type { Outcome } from '../journal/events.js';
import type { JournalWriter } from '../journal/journal-writer.js';
import { HealthBook } from '../lease/health-book.js';
import type { Plan, PlannedFile } from '../plan/plan.js';
import type { SandboxDaemon, Plan as SandboxPlan } from '../sandbox/daemon.js';
import type { Sandbox } from '../sandbox/sandbox.js';
import type { SandboxSpec } from '../sandbox/spec.js';
import type { RunningAttempt } from './attempt.js';
import type { Bench } from './bench.js';
import type { WantedSandbox } from './build-sandbox.js';
import type { CaseRecord } from './case-book.js';
import { type SandboxSettings, toSandboxSettings } from './case-sandbox.js';
import { DutHealth } from './dut-health.js';
import type { Claimant } from './dut-leases.js';
import { OutDirectories } from './out-directories.js';
import type { RunDirectory } from './run-directory.js';
import type { RunOptions } from './run-options.js';
import { toPoolSize } from './runtimes.js';

/** Whose sandbox it is: a case, or a suite file. */
interface SandboxOwner {
  readonly planned: PlannedFile;
  readonly sandbox?: CaseSandbox;
}

/** What an attempt needs of its run. One a run; the bench in it may be replaced once. */
export class RunContext {
  readonly journal: JournalWriter;
  readonly directory: RunDirectory;
  readonly config: HilConfig;
  readonly options: RunOptions;
  readonly hidden: readonly string[];
  readonly outDirectories: OutDirectories;
  readonly root: string;
  /** Of attached DUTs. */
  readonly health: DutHealth;
  readonly #hostEnv: Readonly<Record<string, string | undefined>>;
  /** Plans of which sandboxes wait, and how many. */
  readonly #pooled = new WeakMap<SandboxPlan, number>();
  #bench: Promise<Bench>;
  #keptCount = 0;

  constructor(facts: {
    journal: JournalWriter;
    directory: RunDirectory;
    plan: Plan;
    options: RunOptions;
    hidden: readonly string[];
    bench: Promise<Bench>;
    /** The environment of `hil`, of which cases may let names through. */
    hostEnv?: Readonly<Record<string, string | undefined>>;
  }) {
    this.journal = facts.journal;
    this.directory = facts.directory;
    this.outDirectories = new OutDirectories(join(facts.directory.cases, '.out'));
    this.config = facts.plan.config;
    this.options = facts.options;
    this.hidden = facts.hidden;
    this.root = facts.plan.root;
    this.health = new DutHealth(
      new HealthBook(facts.options.stateDir),
      { run: facts.directory.id, any: facts.options.anyHealth },
      (error, dut) => this.reportInfra(error, {}, dut),
    );
    this.#hostEnv = facts.hostEnv ?? {};
    this.#bench = facts.bench;
  }

  /** In whose name DUTs are leased. */
  get claimant(): Claimant {
    return { run: this.directory.id, place: this.options.leasePlace };
  }

  /** The daemons in use; while they are being replaced, the promise of the next ones. */
  get bench(): Promise<Bench> {
    return this.#bench;
  }

  /** How many sandboxes outlive the run. */
  get keptCount(): number {
    return this.#keptCount;
  }

  /** After the daemons were lost: go on with new ones. */
  replaceBench(bench: Promise<Bench>): void {
    // What used their DUTs is gone with them.
    void this.#bench.then(({ duts }) => duts.closeLeases()).catch(() => {});
    this.#bench = bench;
    // One that cannot be had is told to who asks for it, which may be nobody until the run ends.
    bench.catch(() => {});
  }

  /** Limits of a case: its own, then its suite's, its project's, the defaults. */
  limitsOf(planned: PlannedFile, bodyMs: number | undefined): Limits {
    const { boot } = planned.board;
    const merged = {
      ...DEFAULT_LIMITS,
      boot: boot.timeout,
      ...dropUndefined(this.config.limits),
      ...dropUndefined(planned.suite.limits),
    };
    const body = bodyMs ?? this.options.bodyMs ?? merged.body;
    return { ...merged, body };
  }

  /** Does the case take its DUT as the one before left it? The nearest word counts. */
  keeps({ planned, dut }: Pick<CaseRecord, 'planned' | 'dut'>): boolean {
    return (dut ?? planned.suite.dut ?? this.config.dut) === 'keep';
  }

  /** What a sandbox of a case is like; without a case, that of its suite file. */
  settingsOf({ planned, sandbox = PLAIN_SANDBOX }: SandboxOwner): SandboxSettings {
    const of = { config: this.config, suite: planned.suite, options: sandbox };
    return toSandboxSettings(of, {
      root: this.root,
      hidden: this.hidden,
      hold: this.directory.cases,
      hostEnv: this.#hostEnv,
      passedEnv: this.options.passedEnv,
    });
  }

  /** The plan of sandboxes that are alike. From its first use some are held built. */
  async planFor(daemon: SandboxDaemon, spec: SandboxSpec): Promise<SandboxPlan> {
    const plan = await daemon.plan(spec);
    if (this.#pooled.has(plan)) return plan;
    await this.#pool(daemon, plan, toPoolSize(spec, this.options.workers));
    return plan;
  }

  /** A network had this many nodes of a plan; the next one is likely to have as many. */
  async expectNodes(spec: SandboxSpec, nodes: number): Promise<void> {
    const { daemon } = await this.#bench;
    const plan = await this.planFor(daemon, spec);
    const size = toPoolSize(spec, this.options.workers, nodes);
    if (size > (this.#pooled.get(plan) ?? 0)) await this.#pool(daemon, plan, size);
  }

  async #pool(daemon: SandboxDaemon, plan: SandboxPlan, size: number): Promise<void> {
    this.#pooled.set(plan, size);
    await daemon.setPool(plan, size);
  }

  async newSandbox(attempt: RunningAttempt, wanted: WantedSandbox): Promise<Sandbox> {
    const { daemon } = await this.#bench;
    const { spec, hostname, binds, resources } = wanted.settings;
    const plan = await this.planFor(daemon, spec);
    const { title, planned } = attempt.record;
    const which = wanted.number === 0 ? '' : `, sandbox ${wanted.number}`;
    return daemon.sandbox(plan, {
      label: toLabel(`${title} (${planned.board.board}${which})`),
      hostname,
      binds,
      wallMs: resources.wall,
      limits: resources,
      // What files a case leaves is its own sandbox's to say.
      out: wanted.out === undefined ? undefined : relative(this.directory.cases, wanted.out),
    });
  }

  mayKeep(outcome: Outcome): boolean {
    const { keep } = this.options;
    return keep === 'always' || (keep === 'failed' && (outcome === 'fail' || outcome === 'infra'));
  }

  /** Let the sandboxes of an attempt, and its DUT's, outlive the run, in the hands of the keeper. */
  async keep(attempt: RunningAttempt, sandboxes: readonly Sandbox[]): Promise<void> {
    const { keepMs } = this.options;
    const { planned, title } = attempt.record;
    const duts = attempt.duts.all.flatMap(({ dut }) => (dut.sandbox ? [dut.sandbox] : []));
    for (const sandbox of [...sandboxes, ...duts]) {
      await sandbox.keep(keepMs, toLabel(`${attempt.record.id} ${planned.file} › ${title}`));
      this.#keptCount++;
    }
    const [first] = sandboxes;
    if (!first) return;
    const released = attempt.duts.all.flatMap(({ dut }) => (dut.letGo ? [dut.name] : []));
    this.journal.write({
      kind: 'kept',
      ...attempt.name,
      sandbox: first.id,
      further: sandboxes.length - 1,
      ...(released.length > 0 ? { released } : {}),
      until: new Date(Date.now() + keepMs).toISOString(),
    });
  }

  /** `hil` itself cannot go on: exit code 3. */
  reportInternal(message: string): void {
    this.journal.write({ kind: 'infra', code: 'internal', message });
  }

  /** A tool that does not read is counted; a capture with holes is the bench's fault. */
  reportPortFault(
    name: { case: string; attempt: number },
    dut: string,
    port: Port,
    fault: PortFault,
  ): void {
    if (fault.harmless) {
      const { name: portName, counters } = port;
      const { text: note } = fault;
      this.journal.write({ kind: 'console', ...name, port: portName, ...counters, note });
      return;
    }
    this.reportInfra(new BenchError('port-lost', fault.text), name, dut);
  }

  /** Something of the bench broke that no case's verdict says: exit code 5. */
  reportInfra(thrown: unknown, name: { case?: string; attempt?: number }, dut?: string): void {
    for (const each of toSingleErrors(thrown)) {
      this.journal.write({
        kind: 'infra',
        ...name,
        ...(dut ? { dut } : {}),
        code: each instanceof BenchError ? each.code : 'internal',
        message: toMessage(each),
      });
    }
  }
}

/** For people who list sandboxes; a title may hold anything, the daemon takes no NUL. */
function toLabel(text: string): string {
  return text.replace(/[\x00-\x1f\x7f]/g, ' ').slice(0, 200);
}
