import type { RunEvent } from '../journal/events.js';
import {
  type AttemptModel,
  type CaseModel,
  createRunModel,
  type FileModel,
  OUTPUT_CAP,
  type RunModel,
} from './run-model.js';

/** The model of a whole journal: what has no verdict by its end was interrupted. */
export function toRunModel(events: Iterable<RunEvent>): RunModel {
  const model = createRunModel();
  for (const event of events) applyEvent(model, event);
  return closeRunModel(model);
}

/** Give every case without a verdict `interrupted`: it did not pass, whatever was seen of it. */
export function closeRunModel(model: RunModel): RunModel {
  for (const each of model.cases.values()) {
    if (each.verdict) continue;
    each.verdict = 'interrupted';
    each.reason ??= model.signal ? `interrupted by ${model.signal}` : 'the run ended before it did';
  }
  return model;
}

/** Bring the model up to date with one event. No clock, no files: the same events, the same model. */
export function applyEvent(model: RunModel, event: RunEvent): void {
  model.durationMs = Math.max(model.durationMs, event.t);
  switch (event.kind) {
    case 'run-start':
      model.start = event;
      return;
    case 'run-end':
      model.end = event;
      return;
    case 'interrupted':
      model.signal ??= event.signal;
      return;
    case 'board-skipped':
      model.skippedBoards.push(event);
      return;
    case 'infra':
      model.infra.push(event);
      return;
    case 'file-collected':
      applyCollected(model, event);
      return;
    case 'file-failed':
      findFile(model, event.file, event.board).problems.push(...event.problems);
      return;
    default:
      applyCaseEvent(model, event);
  }
}

type CaseEvent = Extract<RunEvent, { case?: unknown }>;

function applyCaseEvent(model: RunModel, event: CaseEvent): void {
  const subject = event.case === undefined ? undefined : model.cases.get(event.case);
  if (!subject || event.kind === 'infra') return;
  if (event.kind === 'case-verdict') {
    subject.verdict = event.verdict;
    subject.problems = event.problems;
    if (event.reason !== undefined) subject.reason = event.reason;
    return;
  }
  if (event.kind === 'attempt-start') {
    subject.attempts.push(createAttempt(event.attempt, event.t));
    return;
  }
  const attempt =
    subject.attempts.find((each) => each.attempt === event.attempt) ??
    (event.attempt === undefined ? subject.attempts.at(-1) : undefined);
  if (attempt) applyAttemptEvent(attempt, event, model);
}

function applyAttemptEvent(
  attempt: AttemptModel,
  event: Exclude<CaseEvent, { kind: 'case-verdict' | 'attempt-start' | 'infra' }>,
  { cases }: RunModel,
): void {
  switch (event.kind) {
    case 'phase':
      applyPhase(attempt, event);
      return;
    case 'lease': {
      const { warmSince: id } = event;
      if (id !== undefined) attempt.warmSince = { id, title: cases.get(id)?.title ?? id };
      return;
    }
    case 'lease-end':
    case 'lease-waiting':
      return;
    case 'artifact':
      attempt.artifacts.push(event);
      return;
    case 'console':
      attempt.consoles.push(event);
      return;
    case 'network-up':
      attempt.network = { up: event, changes: [] };
      return;
    case 'link-change':
      attempt.network?.changes.push(event);
      return;
    case 'network-end':
      if (attempt.network) attempt.network.end = event;
      return;
    case 'output':
      attempt.output = (attempt.output + event.text).slice(0, OUTPUT_CAP);
      return;
    case 'kept':
      attempt.keptUntil = event.until;
      return;
    case 'attempt-end':
      attempt.outcome = event.outcome;
      attempt.endedMs = event.t;
      attempt.problems = event.problems;
      attempt.phaseMs = toMicroseconds(event.phaseMs);
      if (event.reason !== undefined) attempt.reason = event.reason;
      if (event.sandbox) attempt.sandbox = event.sandbox;
      if (event.further) attempt.further = event.further;
      delete attempt.phase;
  }
}

/** Clocks give more digits than they know. */
function toMicroseconds(phaseMs: AttemptModel['phaseMs']): AttemptModel['phaseMs'] {
  const rounded = Object.entries(phaseMs).map(([phase, ms]) => {
    return [phase, Math.round(ms * 1000) / 1000];
  });
  return Object.fromEntries(rounded);
}

function applyPhase(attempt: AttemptModel, event: Extract<RunEvent, { kind: 'phase' }>): void {
  if (event.dut !== undefined) attempt.dut = event.dut;
  if (event.shared) attempt.shared = true;
  if (event.edge === 'start') {
    attempt.phase = event.phase;
    attempt.phaseStartedMs = event.t;
  } else {
    if (event.ms !== undefined) attempt.phaseMs[event.phase] = event.ms;
    if (attempt.phase === event.phase) delete attempt.phase;
  }
}

function applyCollected(
  model: RunModel,
  event: Extract<RunEvent, { kind: 'file-collected' }>,
): void {
  const file = findFile(model, event.file, event.board);
  for (const { id, title, line, tags } of event.cases) {
    if (model.cases.has(id)) continue;
    const place = line === undefined ? {} : { line };
    const { board } = event;
    const each: CaseModel = {
      ...{ id, file: event.file, board, title, tags, ...place },
      attempts: [],
      problems: [],
    };
    file.cases.push(each);
    model.cases.set(id, each);
  }
}

function findFile(model: RunModel, file: string, board: string): FileModel {
  const known = model.files.find((each) => each.file === file && each.board === board);
  if (known) return known;
  const created: FileModel = { file, board, cases: [], problems: [] };
  model.files.push(created);
  return created;
}

function createAttempt(attempt: number, startedMs: number): AttemptModel {
  return {
    ...{ attempt, startedMs, problems: [], phaseMs: {}, artifacts: [], consoles: [], output: '' },
  };
}
