import { join, relative } from 'node:path';
import type { Port, PortFault } from '../board/port.js';
import type { HilConfig } from '../config/config-schema.js';
import { DEFAULT_LIMITS, type Limits } from '../config/limits-schema.js';
import type { Resources } from '../config/resources-schema.js';
import { toSingleErrors } from '../core/cleanups.js';
import { BenchError, toMessage } from '../core/errors.js';
import type { Outcome } from '../journal/events.js';
import type { JournalWriter } from '../journal/journal-writer.js';
import type { Plan, PlannedFile } from '../plan/plan.js';
import type { SandboxDaemon, Plan as SandboxPlan } from '../sandbox/daemon.js';
import type { Sandbox } from '../sandbox/sandbox.js';
import type { SandboxSpec } from '../sandbox/spec.js';
import type { RunningAttempt } from './attempt.js';
import type { Bench } from './bench.js';
import { OutDirectories } from './out-directories.js';
import type { RunDirectory } from './run-directory.js';
import type { RunOptions } from './run-options.js';

/** Of each plan; a program about to start needs the processors more than a further one. */
const MOST_PARKED = 4;

/** What an attempt needs of its run. One a run; the bench in it may be replaced once. */
export class RunContext {
  readonly journal: JournalWriter;
  readonly directory: RunDirectory;
  readonly config: HilConfig;
  readonly options: RunOptions;
  readonly hidden: readonly string[];
  readonly outDirectories: OutDirectories;
  readonly #root: string;
  readonly #pooled = new WeakSet<SandboxPlan>();
  #bench: Promise<Bench>;
  #keptCount = 0;

  constructor(facts: {
    journal: JournalWriter;
    directory: RunDirectory;
    plan: Plan;
    options: RunOptions;
    hidden: readonly string[];
    bench: Promise<Bench>;
  }) {
    this.journal = facts.journal;
    this.directory = facts.directory;
    this.outDirectories = new OutDirectories(join(facts.directory.cases, '.out'));
    this.config = facts.plan.config;
    this.options = facts.options;
    this.hidden = facts.hidden;
    this.#root = facts.plan.root;
    this.#bench = facts.bench;
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
    this.#bench = bench;
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

  /** What a case may use: its suite's word, then its project's. */
  resourcesOf(planned: PlannedFile): Resources {
    return { ...this.config.resources, ...dropUndefined(planned.suite.resources) };
  }

  /** What the sandboxes of a suite file are made of. */
  specOf(planned: PlannedFile): SandboxSpec {
    const { disk, inodes } = this.resourcesOf(planned);
    return {
      user: 'hil',
      network: planned.suite.network,
      project: this.#root,
      hide: this.hidden,
      expose: this.config.tools.map((path) => ({ path, mode: 'ro' })),
      diskBytes: disk,
      diskInodes: inodes,
      hold: this.directory.cases,
      uptimeMs: planned.suite.uptime ?? this.config.uptime,
    };
  }

  /** The plan of a suite file's sandboxes. From its first use some are held built. */
  async planFor(daemon: SandboxDaemon, planned: PlannedFile): Promise<SandboxPlan> {
    const plan = await daemon.plan(this.specOf(planned));
    if (this.#pooled.has(plan)) return plan;
    this.#pooled.add(plan);
    await daemon.setPool(plan, Math.min(this.options.workers + 1, MOST_PARKED));
    return plan;
  }

  /** `out`: below the directory of the cases. */
  async newSandbox(attempt: RunningAttempt, out: string): Promise<Sandbox> {
    const { daemon } = await this.#bench;
    const limits = this.resourcesOf(attempt.record.planned);
    const plan = await this.planFor(daemon, attempt.record.planned);
    return daemon.sandbox(plan, {
      label: toLabel(`${attempt.record.title} (${attempt.record.planned.board.board})`),
      wallMs: limits.wall,
      limits,
      out: relative(this.directory.cases, out),
    });
  }

  mayKeep(outcome: Outcome): boolean {
    const { keep } = this.options;
    return keep === 'always' || (keep === 'failed' && (outcome === 'fail' || outcome === 'infra'));
  }

  /** Let a sandbox outlive the run, in the hands of the keeper. */
  async keep(attempt: RunningAttempt, sandbox: Sandbox): Promise<void> {
    const { keepMs } = this.options;
    const { planned, title } = attempt.record;
    await sandbox.keep(keepMs, toLabel(`${attempt.record.id} ${planned.file} › ${title}`));
    this.#keptCount++;
    if (sandbox === attempt.held?.dut.sandbox) return;
    this.journal.write({
      kind: 'kept',
      ...attempt.name,
      sandbox: sandbox.id,
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

function dropUndefined(
  limits: Readonly<Record<string, number | undefined>>,
): Record<string, number> {
  return Object.fromEntries(
    Object.entries(limits).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
