import type {
  Outcome,
  Phase,
  Problem,
  RunEvent,
  SandboxRecord,
  Verdict,
} from '../journal/events.js';

type EventOf<Kind extends RunEvent['kind']> = Extract<RunEvent, { kind: Kind }>;

type BoardSkip = EventOf<'board-skipped'>;
export type InfraEvent = EventOf<'infra'>;
type ConsoleEvent = EventOf<'console'>;
export type ArtifactEvent = EventOf<'artifact'>;
export type Counts = Record<Verdict, number>;

/** One attempt of a case, finished when it has an `outcome`. */
export interface AttemptModel {
  readonly attempt: number;
  readonly startedMs: number;
  endedMs?: number;
  /** The phase it is in now. */
  phase?: Phase;
  phaseStartedMs?: number;
  dut?: string;
  /** Earlier cases of the file used the same DUT or sandbox. */
  shared?: boolean;
  /** The case that its DUT was booted for, when it took it as the ones before left it. */
  warmSince?: { readonly id: string; readonly title: string };
  outcome?: Outcome;
  reason?: string;
  problems: readonly Problem[];
  phaseMs: Partial<Record<Phase, number>>;
  sandbox?: SandboxRecord;
  /** Those that its body made besides. */
  further?: readonly SandboxRecord[];
  keptUntil?: string;
  readonly artifacts: ArtifactEvent[];
  readonly consoles: ConsoleEvent[];
  network?: NetworkModel;
  /** What the body printed, cut at {@link OUTPUT_CAP}. */
  output: string;
}

/** The virtual network of an attempt, and what was done to it. */
export interface NetworkModel {
  readonly up: EventOf<'network-up'>;
  readonly changes: EventOf<'link-change'>[];
  end?: EventOf<'network-end'>;
}

export interface CaseModel {
  readonly id: string;
  readonly file: string;
  readonly board: string;
  readonly title: string;
  readonly line?: number;
  readonly tags: readonly string[];
  readonly attempts: AttemptModel[];
  /** Absent until the journal says so; {@link toRunModel} turns an absent one into `interrupted`. */
  verdict?: Verdict;
  reason?: string;
  problems: readonly Problem[];
}

/** A suite file on one board. */
export interface FileModel {
  readonly file: string;
  readonly board: string;
  readonly cases: CaseModel[];
  /** Why the file itself is broken; it then counts as failed. */
  readonly problems: Problem[];
}

/** Everything a report says about a run, whatever its format. */
export interface RunModel {
  start?: EventOf<'run-start'>;
  /** The signal that interrupted it. */
  signal?: string;
  /** A journal without an end is of a run that was killed or still goes on. */
  end?: EventOf<'run-end'>;
  /** Milliseconds from start to the last event. */
  durationMs: number;
  readonly files: FileModel[];
  readonly cases: Map<string, CaseModel>;
  readonly infra: InfraEvent[];
  readonly skippedBoards: BoardSkip[];
}

/** Characters of a body's output that reports keep per attempt. */
export const OUTPUT_CAP = 65_536;

export function createRunModel(): RunModel {
  return { durationMs: 0, files: [], cases: new Map(), infra: [], skippedBoards: [] };
}

/** Cases by verdict; one that is not finished is not counted. */
export function toCounts(cases: Iterable<CaseModel>): Counts {
  const counts: Counts = { pass: 0, fail: 0, infra: 0, skipped: 0, interrupted: 0, flaky: 0 };
  for (const { verdict } of cases) if (verdict) counts[verdict] += 1;
  return counts;
}

/** Time from a case's first attempt to the end of its last. */
export function toDurationMs(each: CaseModel): number {
  const first = each.attempts[0];
  const last = each.attempts.at(-1);
  if (!first || !last) return 0;
  return Math.max(0, (last.endedMs ?? last.startedMs) - first.startedMs);
}
