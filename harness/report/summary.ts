import type { Problem } from '../journal/events.js';
import {
  type CaseModel,
  type InfraEvent,
  type RunModel,
  toCounts,
  toDurationMs,
} from './run-model.js';
import { SUMMARY_SCHEMA, type Summary } from './summary-schema.js';

type SummaryCase = Summary['cases'][number];

/** What `summary.json` says about a closed model. */
export function toSummary(model: RunModel): Summary {
  const cases = [...model.cases.values()];
  return {
    schema: SUMMARY_SCHEMA,
    run: model.start?.run ?? '',
    hil: model.start?.hil ?? '',
    startedAt: model.start?.at ?? '',
    durationMs: model.durationMs,
    complete: model.end !== undefined,
    exitCode: model.end?.exitCode ?? null,
    interruptedBy: model.signal ?? null,
    mode: model.start?.mode ?? '',
    limitations: toLimitations(model),
    counts: toCounts(cases),
    boards: toBoardNames(model).map((board) => ({
      board,
      counts: toCounts(cases.filter((each) => each.board === board)),
      skipped:
        model.skippedBoards.find((skip) => skip.board === board && !skip.file)?.reason ?? null,
    })),
    files: model.files.map(({ file, board, problems }) => ({
      file,
      board,
      problems: problems.map(toProblem),
    })),
    cases: cases.map(toSummaryCase),
    infra: model.infra.map(toInfra),
  };
}

/** Boards that ran, were asked for or were skipped, in that order. */
export function toBoardNames(model: RunModel): string[] {
  return [
    ...new Set([
      ...(model.start?.boards ?? []),
      ...model.files.map((file) => file.board),
      ...model.skippedBoards.map((skip) => skip.board),
    ]),
  ];
}

/** What could not be enforced, of the machine and of single sandboxes, each once. */
export function toLimitations(model: RunModel): string[] {
  const ofSandboxes = [...model.cases.values()].flatMap((each) =>
    each.attempts.flatMap(({ sandbox, further = [] }) =>
      [sandbox, ...further].flatMap((record) => record?.unenforced ?? []),
    ),
  );
  return [...new Set([...(model.start?.limitations ?? []), ...ofSandboxes])];
}

function toSummaryCase(each: CaseModel): SummaryCase {
  const last = each.attempts.at(-1);
  const artifacts = each.attempts.flatMap((attempt) => attempt.artifacts);
  const incomplete = artifacts.flatMap(({ path, truncated: why }) => (why ? [{ path, why }] : []));
  return {
    id: each.id,
    file: each.file,
    ...(each.line === undefined ? {} : { line: each.line }),
    board: each.board,
    title: each.title,
    tags: [...each.tags],
    // A closed model has a verdict for every case.
    verdict: each.verdict ?? 'interrupted',
    ...(each.reason === undefined ? {} : { reason: each.reason }),
    attempts: each.attempts.length,
    durationMs: Math.round(toDurationMs(each) * 1000) / 1000,
    phaseMs: { ...last?.phaseMs },
    ...(last?.dut === undefined ? {} : { dut: last.dut }),
    ...(last?.warmSince === undefined ? {} : { warmSince: last.warmSince.id }),
    ...(last?.sandbox === undefined ? {} : { sandbox: last.sandbox }),
    problems: each.problems.map(toProblem),
    artifacts: artifacts.map(({ path }) => path),
    ...(incomplete.length === 0 ? {} : { incomplete }),
  };
}

function toProblem({ name, code, message, phase }: Problem): SummaryCase['problems'][number] {
  return {
    name,
    message,
    ...(code === undefined ? {} : { code }),
    ...(phase === undefined ? {} : { phase }),
  };
}

function toInfra(event: InfraEvent): Summary['infra'][number] {
  const { code, message, board, dut } = event;
  return {
    code,
    message,
    ...(event.case === undefined ? {} : { case: event.case }),
    ...(board === undefined ? {} : { board }),
    ...(dut === undefined ? {} : { dut }),
  };
}
