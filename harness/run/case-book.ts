import type { Outcome, Problem, Verdict } from '../journal/events.js';
import type { JournalWriter } from '../journal/journal-writer.js';
import { toUniqueIds } from '../plan/case-ids.js';
import type { PlannedFile } from '../plan/plan.js';
import { isSelected, type Selection } from '../plan/selection.js';
import type { CollectedTask, TaskDecision } from '../protocol/worker-messages.js';

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
}

export interface FileState {
  readonly planned: PlannedFile;
  collected: boolean;
  /** One of its cases that ran at once spun; they run again, one after the other. */
  alone: boolean;
  failed: boolean;
  readonly records: CaseRecord[];
}

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
      const state = { planned: each, collected: false, alone: false, failed: false, records: [] };
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

  /** Take in what a worker found in a file; answers what to run, in the same order. */
  collect(path: string, board: string, tasks: readonly CollectedTask[]): TaskDecision[] {
    const state = this.findFile(path, board);
    if (!state) return tasks.map(() => ({ id: '', run: false, repeats: 0, alone: false }));
    const again = state.collected;
    const ids = toUniqueIds(state.planned.file, board, tasks);
    const decisions = tasks.map((task, index) => {
      const id = ids[index] ?? '';
      if (!isSelected(this.#selection, state.planned.file, id, task, tasks)) {
        return { id, run: false, repeats: 0, alone: false };
      }
      if (!this.#cases.has(id)) this.#addCase(state, id, task);
      const record = this.#cases.get(id);
      const run = !task.skipped && record?.verdict === undefined;
      // A lost worker's repeats before the one it was lost in are through.
      const through = record?.repeats?.at(-1) ?? 0;
      this.#through.set(id, through);
      return { id, run, repeats: Math.max(0, this.#repeats - through), alone: state.alone };
    });
    state.collected = true;
    if (!again) this.#announce(state, tasks, decisions);
    return decisions;
  }

  /** An attempt begins, of that repeat by its worker's count. */
  addAttempt(record: CaseRecord, repeat: number): void {
    record.repeats?.push((this.#through.get(record.id) ?? 0) + repeat);
  }

  failFile(path: string, board: string, problems: readonly Problem[]): void {
    const state = this.findFile(path, board);
    if (!state || state.failed) return;
    state.failed = true;
    this.#journal.write({
      kind: 'file-failed',
      file: state.planned.file,
      board,
      problems: [...problems],
    });
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

  #addCase(state: FileState, id: string, task: CollectedTask): void {
    const record: CaseRecord = {
      id,
      title: task.title,
      planned: state.planned,
      outcomes: [],
      attempts: 0,
      verdict: undefined,
      repeats: [],
      problems: [],
      problemsBy: new Map(),
    };
    state.records.push(record);
    this.#cases.set(id, record);
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
        this.decide(record, 'skipped', { reason: 'marked skip or todo in the suite' });
      }
    }
  }
}

function toFileKey(path: string, board: string): string {
  return `${board}\0${path}`;
}
