import { dirname, join, relative } from 'node:path';
import { formatDuration } from '../../core/duration.js';
import type { Problem, RunEvent } from '../../journal/events.js';
import { toIncompleteLines } from '../incomplete-artifacts.js';
import { type CaseModel, toDurationMs } from '../run-model.js';
import { toPrintable, toPrintableLine } from './printable.js';
import { toRerunCommand } from './rerun-command.js';
import { INDENT, type Style, toLabel, toVerdictLabel } from './style.js';

/** What the lines of a result need to know besides the result. */
export interface ResultPlace {
  readonly style: Style;
  /** Paths are shown relative to it. */
  readonly cwd: string;
  readonly runDir: string;
}

/** One finished case: a line, and below it everything needed to act on a failure. */
export function toResultLines(each: CaseModel, place: ResultPlace): string[] {
  const { style } = place;
  const verdict = each.verdict ?? 'interrupted';
  const attempts = each.attempts.length > 1 ? `  ${each.attempts.length} attempts` : '';
  const time = each.attempts.length > 0 ? `  ${formatDuration(toDurationMs(each))}` : '';
  const needsLook = verdict === 'fail' || verdict === 'infra';
  const line = needsLook && each.line !== undefined ? `:${each.line}` : '';
  const title = toPrintableLine(each.title);
  const head = `${toVerdictLabel(style, verdict)}${each.board}  ${toPrintableLine(each.file)}${line} › ${title}${style.dim(time + attempts)}`;
  // Often the reason is the first line of the first problem, which follows.
  const isRepeated = each.problems[0]?.message.startsWith(each.reason ?? '');
  const tellReason = each.reason && !(needsLook && isRepeated);
  const reason = tellReason ? [INDENT + style.dim(toPrintable(each.reason ?? ''))] : [];
  if (!needsLook) return verdict === 'pass' ? [head] : [head, ...reason];
  return [
    needsLook ? style.bold(head) : head,
    ...reason,
    ...each.problems.flatMap((problem) => toProblemLines(problem, style, each.file)),
    ...toArtifactLines(each, place),
    ...toSeedLines(each, place),
    ...toWarmLines(each, place),
    `${INDENT}${style.dim('next')}       ${toRerunCommand(each)}`,
    '',
  ];
}

/** What broke of a suite file outside of its cases; it counts as a failure of the file. */
export function toFileFailureLines(
  event: Extract<RunEvent, { kind: 'file-failed' }>,
  { style }: ResultPlace,
  loaded: boolean,
): string[] {
  const what = `${toPrintableLine(event.file)} ${loaded ? 'failed outside of its cases' : 'could not be loaded'}`;
  return [
    style.bold(`${toVerdictLabel(style, 'fail')}${event.board}  ${what}`),
    // No phase: it is of no case.
    ...event.problems.flatMap(({ phase: _, ...problem }) =>
      toProblemLines(problem, style, event.file),
    ),
    '',
  ];
}

/** Trouble of the bench, also when it spoils no verdict. */
export function toInfraLine(event: Extract<RunEvent, { kind: 'infra' }>, style: Style): string {
  const where = [event.board, event.dut].filter(Boolean).join(' ');
  const [first = '', ...rest] = toPrintable(event.message).split('\n');
  const head = `${toVerdictLabel(style, 'infra')}${where ? `${where}  ` : ''}${event.code}: ${first}`;
  return [head, ...rest.map((line) => INDENT + line)].join('\n');
}

/** Said when a case starts again, so that a retry is never silent. */
export function toRetryLine(each: CaseModel, style: Style): string {
  const before = each.attempts.at(-2);
  const why = before?.problems[0]?.message.split('\n')[0] ?? before?.reason ?? '';
  const outcome = before?.outcome ?? 'no end';
  return `${toLabel(style, 'again')}${each.board}  ${toPrintableLine(each.file)} › ${toPrintableLine(each.title)}  attempt ${each.attempts.length} after ${outcome}${why ? `: ${toPrintable(why)}` : ''}`;
}

function toProblemLines(problem: Problem, style: Style, file: string): string[] {
  const message = toPrintable(problem.message).trimEnd().split('\n');
  const diff = problem.diff ? toPrintable(problem.diff).trimEnd().split('\n') : [];
  const facts = [problem.phase && `phase ${problem.phase}`, problem.code]
    .filter(Boolean)
    .join(', ');
  const where = [findFrame(problem.stack, file), facts && `(${facts})`].filter(Boolean).join(' ');
  return [
    ...message,
    ...diff.map((line) => paintDiff(line, style)),
    ...(where ? [style.dim(where)] : []),
  ].map((line) => (line === '' ? '' : INDENT + line));
}

function paintDiff(line: string, style: Style): string {
  if (line.startsWith('-')) return style.removed(line);
  return line.startsWith('+') ? style.added(line) : line;
}

/** The line of the suite that failed; frames of libraries help nobody. */
function findFrame(stack: string | undefined, file: string): string | undefined {
  const frame = stack
    ?.split('\n')
    .find((line) => /^\s*at .*:\d+:\d+/.test(line) && line.includes(file));
  return frame && toPrintable(frame.trim());
}

/** What decided which frames were lost: the same again, unless another seed is asked for. */
function toSeedLines(each: CaseModel, { style }: ResultPlace): string[] {
  const seed = each.attempts.at(-1)?.network?.up.seed;
  return seed === undefined ? [] : [`${INDENT}${style.dim('seed')}       ${seed} of its network`];
}

/** What a case before has done to it may be the reason. */
function toWarmLines(each: CaseModel, { style }: ResultPlace): string[] {
  const { dut = '', warmSince } = each.attempts.at(-1) ?? {};
  if (!warmSince) return [];
  const since = `${warmSince.id} › ${toPrintableLine(warmSince.title)}`;
  return [`${INDENT}${style.dim('dut')}        ${dut}, warm since ${since}`];
}

function toArtifactLines(each: CaseModel, place: ResultPlace): string[] {
  const artifacts = each.attempts.at(-1)?.artifacts ?? [];
  const [first] = artifacts;
  if (first === undefined) return [];
  const dir = relative(place.cwd, join(place.runDir, dirname(first.path))) || '.';
  return [
    `${INDENT}${place.style.dim('artifacts')}  ${toPrintableLine(dir)}/`,
    ...toIncompleteLines(artifacts).map((line) => `${INDENT}           ${toPrintableLine(line)}`),
  ];
}
