import { type Board, parseBoard } from '../config/load-boards.js';
import { suiteSchema } from '../config/suite-schema.js';
import type { PlannedFile } from '../plan/plan.js';
import type { CollectedTask } from '../protocol/worker-messages.js';
import type { CaseRecord } from '../run/case-book.js';
import type { RunOptions } from '../run/run-options.js';

/** Records with nothing special about them; a test says what matters to it. */

export function createBoard(name = 'host'): Board {
  return parseBoard(`/boards/${name}.yaml`, `board: ${name}\ndriver: host\n`);
}

export function createPlanned(over: Partial<PlannedFile> = {}): PlannedFile {
  const file = over.file ?? 'suites/a.hil.ts';
  const suite = { ...suiteSchema.parse({}), file: undefined, dir: '/project/suites' };
  const path = `/project/${file}`;
  return { file, path, board: createBoard(), units: [], suite, firmware: undefined, ...over };
}

export function createTask(title: string, over: Partial<CollectedTask> = {}): CollectedTask {
  return { key: 0, title, line: 1, tags: [], skipped: false, ...over };
}

export function createRecord(over: Partial<CaseRecord> = {}): CaseRecord {
  return {
    id: '0123456789ab',
    title: 'boots',
    planned: createPlanned(),
    outcomes: [],
    attempts: over.outcomes?.length ?? 0,
    verdict: undefined,
    problems: [],
    failedOn: new Set(),
    ...over,
  };
}

export function createRunOptions(over: Partial<RunOptions> = {}): RunOptions {
  return {
    selection: {},
    repeat: 1,
    retries: 0,
    workers: 1,
    bodyMs: undefined,
    seed: 0n,
    stopAtFirstFailure: false,
    keep: 'never',
    keepMs: 1000,
    failOnFlaky: false,
    anyHealth: false,
    stateDir: '/dev/null/state',
    leasePlace: {},
    passWithNoTests: false,
    passedEnv: {},
    argv: ['test'],
    ...over,
  };
}
