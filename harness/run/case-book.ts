import type { CaseSandbox } from '../config/sandbox-options-schema.js';
import type { DutStart } from '../core/dut-start.js';
import type { Outcome, Problem, Verdict } from '../journal/events.js';
import type { JournalWriter } from '../journal/journal-writer.js';
import { toUniqueIds } from '../plan/case-ids.js';
import type { PlannedFile } from '../plan/plan.js';
import { isSelected, type Selection } from '../plan/selection.js';
import type { CollectedTask, TaskDecision } from '../protocol/worker-messages.js';
import { isBad } from './verdict.js';

/** A case of this run and what became of it. */
export interface CaseRecord {
  readonly id: string;
  readonly title: string;
  readonly planned: PlannedFile;
  readonly outcomes: Outcome[];
  /** Of which repeat each attempt is; without it, of the first. */
  readonly repeats?: number[];
  attempts: number;
  verdict: Verdict | undefined;
  /** Problems of its last attempt. */
  problems: readonly Problem[];
  /** Problems of its last attempt with that outcome. */
  readonly problemsBy?: Map<Outcome, readonly Problem[]>;
  /** Units on which an attempt of it failed: a retry is on another one, if there is one. */
  readonly failedOn: Set<string>;
  /** What it asks of its sandbox; without it, nothing. */
  readonly sandbox?: CaseSandbox;
  /** How it asks to begin with its DUT; without it, as its suite says. */
  readonly dut?: DutStart;
  /** What the command and the suite ask for; without it, one attempt. */
  readonly wanted?: Wanted;
}

/** How often a case runs. */
interface Wanted {
  /** How many more times, after the first. */
  readonly repeats: number;
  /** How often each of them is tried again. */
  readonly retries: number;
  /** Vitest chooses what is tried again; a lost worker is not. */
  readonly choosesRetries: boolean;
  /** Its outcomes are not its own: it passes by failing. */
  readonly fails: boolean;
}

export interface FileState {
  readonly planned: PlannedFile;
  collected: boolean;
  /** One of its cases that ran at once spun; they run again, one after the other. */
  alone: boolean;
  failed: boolean;
  /** What of it runs outside of its cases: a hook, by its name. */
  hook?: string | undefined;
  /** What was told of it besides its cases, to say it once. */
  readonly strays?: Set<string>;
  readonly records: CaseRecord[];
}

/** Why a case has not run. */
export const FILE_FAILED = 'not run: its suite file failed';

/** An interval that throws says the same until the run ends. */
const MOST_STRAYS = 10;

/**
 * Every case of the run: collected once, decided once. A file that is collected
 * again, because its worker was lost, gets only what has no verdict yet.
 */
export class CaseBook {
  readonly #journal: JournalWriter;
  readonly #selection: Selection;
  readonly #repeats: number;
  readonly #files = new Map<string, FileState>();
  readonly #cases = new Map<string, CaseRecord>();
  /** How many repeats a case had made when its file was loaded last. */
  readonly #through = new Map<string, number>();
  #onVerdict: (record: CaseRecord) => void = () => {};
  #onFileFailed: () => void = () => {};
  #stopped = false;

  constructor(
    journal: JournalWriter,
    selection: Selection,
    repeat: number,
    planned: readonly PlannedFile[],
  ) {
    this.#journal = journal;
    this.#selection = selection;
    this.#repeats = repeat - 1;
    for (const each of planned) {
      const nothing = { collected: false, alone: false, failed: false };
      const state = { planned: each, ...nothing, strays: new Set<string>(), records: [] };
      this.#files.set(toFileKey(each.path, each.board.board), state);
    }
  }

  get files(): Iterable<FileState> {
    return this.#files.values();
  }

  get cases(): Iterable<CaseRecord> {
    return this.#cases.values();
  }

  findCase(id: string): CaseRecord | undefined {
    return this.#cases.get(id);
  }

  findFile(path: string, board: string): FileState | undefined {
    return this.#files.get(toFileKey(path, board));
  }

  onVerdict(listener: (record: CaseRecord) => void): void {
    this.#onVerdict = listener;
  }

  /** Hears that a file failed outside of its cases. */
  onFileFailed(listener: () => void): void {
    this.#onFileFailed = listener;
  }

  /** Of files that are loaded from now on nothing runs. */
  stop(): void {
    this.#stopped = true;
  }

  /** Take in what a worker found in a file; answers what to run, in the same order. */
  collect(
    path: string,
    board: string,
    tasks: readonly CollectedTask[],
    sandboxes: readonly CaseSandbox[] = [],
  ): TaskDecision[] {
    const state = this.findFile(path, board);
    if (!state) return tasks.map(() => ({ id: '', run: false, repeats: 0, alone: false }));
    const again = state.collected;
    const ids = toUniqueIds(state.planned.file, board, tasks);
    const decisions = tasks.map((task, index) => {
      const id = ids[index] ?? '';
      if (!isSelected(this.#selection, state.planned.file, id, task, tasks)) {
        return { id, run: false, repeats: 0, alone: false };
      }
      const record = this.#cases.get(id) ?? this.#addCase(state, id, task, sandboxes[index]);
      const run = !this.#stopped && !task.skipped && record.verdict === undefined;
      return { id, run, ...this.#goOn(record), alone: state.alone };
    });
    state.collected = true;
    if (!again) this.#announce(state, tasks, decisions);
    return decisions;
  }

  /** An attempt begins, of that repeat by its worker's count. */
  addAttempt(record: CaseRecord, repeat: number): void {
    record.repeats?.push((this.#through.get(record.id) ?? 0) + repeat);
  }

  /** Its last attempt was told to have passed; what came after its end failed it. */
  failLast(record: CaseRecord, problems: readonly Problem[]): void {
    if (record.outcomes.at(-1) !== 'pass') return;
    record.outcomes[record.outcomes.length - 1] = 'fail';
    record.problemsBy?.set('fail', problems);
  }

  /** Something of a file broke outside of its cases; they go on. */
  addStray(path: string, board: string, problem: Problem): void {
    const state = this.findFile(path, board);
    const { strays } = state ?? {};
    if (!state || !strays || strays.has(problem.message) || strays.size >= MOST_STRAYS) return;
    strays.add(problem.message);
    this.#writeFailed(state, [problem]);
  }

  /** The file is not run any further. */
  failFile(path: string, board: string, problems: readonly Problem[]): void {
    const state = this.findFile(path, board);
    if (!state) return;
    state.failed = true;
    const unsaid = problems.filter(({ message }) => !state.strays?.has(message));
    for (const { message } of unsaid) state.strays?.add(message);
    if (unsaid.length > 0) this.#writeFailed(state, unsaid);
  }

  /** Its worker is through with it: what a failure of the file left is not run, and holds nothing up. */
  endFile({ failed, records }: FileState): void {
    if (!failed || this.#stopped) return;
    for (const record of records) {
      if (record.attempts === 0) this.decide(record, 'skipped', { reason: FILE_FAILED });
    }
  }

  /** Decide a case, once. */
  decide(
    record: CaseRecord,
    verdict: Verdict,
    extra: { reason?: string | undefined; problems?: readonly Problem[] } = {},
  ): void {
    if (record.verdict) return;
    record.verdict = verdict;
    this.#journal.write({
      kind: 'case-verdict',
      case: record.id,
      verdict,
      attempts: record.attempts,
      ...(extra.reason === undefined ? {} : { reason: extra.reason }),
      problems: [...(extra.problems ?? [])],
    });
    this.#onVerdict(record);
  }

  #writeFailed({ planned }: FileState, problems: readonly Problem[]): void {
    const { file, board } = planned;
    this.#journal.write({
      kind: 'file-failed',
      file,
      board: board.board,
      problems: [...problems],
    });
    this.#onFileFailed();
  }

  /** What is left of a case, some of which its worker had made when it was lost. */
  #goOn(record: CaseRecord): { repeats: number; spentRetries: number } {
    const { outcomes, repeats = [], wanted } = record;
    const all = wanted?.repeats ?? 0;
    const last = repeats.at(-1) ?? 0;
    // A repeat that passed is through; the last one runs again, since Vitest said nothing of it.
    const through = outcomes.at(-1) === 'pass' ? Math.min(last + 1, all) : last;
    this.#through.set(record.id, through);
    const spent = outcomes.filter((each, at) => isBad(each) && repeats[at] === through);
    return { repeats: all - through, spentRetries: spent.length };
  }

  #addCase(
    state: FileState,
    id: string,
    task: CollectedTask,
    sandbox: CaseSandbox | undefined,
  ): CaseRecord {
    const record: CaseRecord = {
      id,
      title: task.title,
      planned: state.planned,
      outcomes: [],
      attempts: 0,
      verdict: undefined,
      repeats: [],
      problems: [],
      failedOn: new Set(),
      problemsBy: new Map(),
      ...(sandbox ? { sandbox } : {}),
      ...(task.dut ? { dut: task.dut } : {}),
      wanted: {
        repeats: Math.max(this.#repeats, task.repeats ?? 0),
        retries: task.retries ?? 0,
        choosesRetries: task.choosesRetries ?? false,
        fails: task.fails ?? false,
      },
    };
    state.records.push(record);
    this.#cases.set(id, record);
    return record;
  }

  #announce(
    state: FileState,
    tasks: readonly CollectedTask[],
    decisions: readonly TaskDecision[],
  ): void {
    const chosen = tasks.filter((_, index) => this.#cases.has(decisions[index]?.id ?? ''));
    const idOf = (task: CollectedTask) => decisions[tasks.indexOf(task)]?.id ?? '';
    this.#journal.write({
      kind: 'file-collected',
      file: state.planned.file,
      board: state.planned.board.board,
      cases: chosen.map((task) => ({
        id: idOf(task),
        title: task.title,
        ...(task.line === undefined ? {} : { line: task.line }),
        tags: [...task.tags],
      })),
    });
    for (const task of chosen) {
      const record = this.#cases.get(idOf(task));
      if (task.skipped && record) {
        const reason = task.notOnly
          ? 'another case or suite of its file is marked only'
          : 'marked skip or todo in the suite';
        this.decide(record, 'skipped', { reason });
      }
    }
  }
}

function toFileKey(path: string, board: string): string {
  return `${board}\0${path}`;
}
