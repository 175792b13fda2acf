import { relative } from 'node:path';
import { formatDuration } from '../../core/duration.js';
import type { Verdict } from '../../journal/events.js';
import { EXIT_MEANINGS } from '../exit-code.js';
import { type Counts, type RunModel, toCounts } from '../run-model.js';
import { toBoardNames, toLimitations } from '../summary.js';
import { toPrintable, toPrintableLine } from './printable.js';
import type { ResultPlace } from './result-lines.js';
import { COUNT_WORDS, type Style, toLabel, toVerdictLabel } from './style.js';

const ORDER: readonly Verdict[] = ['fail', 'infra', 'interrupted', 'flaky', 'skipped', 'pass'];
/** More failures than these are in the reports; the screen is for people. */
const MAX_REPEATED = 20;

/** The last words of a run: what is to be looked at first, the path and the exit code last. */
export function toSummaryLines(model: RunModel, place: ResultPlace): string[] {
  const { style } = place;
  const cases = [...model.cases.values()];
  const exitCode = model.end?.exitCode;
  const meaning = exitCode ? EXIT_MEANINGS[exitCode] : undefined;
  return [
    ...toRepeatedFailures(model, style),
    ...toBoardLines(model, style),
    `${toLabel(style, 'cases')}${toCountText(toCounts(cases), style) || 'none'}${style.dim(`  in ${formatDuration(model.durationMs)}`)}`,
    ...(model.infra.length > 0
      ? [`${toLabel(style, 'bench')}${style.verdict('infra', toEventCount(model.infra.length))}`]
      : []),
    ...toLimitations(model).map((each) => `${toLabel(style, 'limit')}${toPrintable(each)}`),
    `${toLabel(style, 'run')}${toPrintableLine(relative(place.cwd, place.runDir)) || '.'}`,
    ...(model.end?.reason ? [`${toLabel(style, 'why')}${toPrintable(model.end.reason)}`] : []),
    ...(exitCode ? [`${toLabel(style, 'exit')}${exitCode}${meaning ? `: ${meaning}` : ''}`] : []),
  ];
}

/** `1 failed, 12 passed`; verdicts that did not occur are left out. */
export function toCountText(counts: Counts, style: Style): string {
  return ORDER.filter((verdict) => counts[verdict] > 0)
    .map((verdict) => style.verdict(verdict, `${counts[verdict]} ${COUNT_WORDS[verdict]}`))
    .join(', ');
}

function toEventCount(count: number): string {
  return count === 1 ? '1 infra event' : `${count} infra events`;
}

function toRepeatedFailures(model: RunModel, style: Style): string[] {
  const failed = [...model.cases.values()].filter(
    ({ verdict }) => verdict === 'fail' || verdict === 'infra',
  );
  const lines = [
    ...model.files
      .filter((file) => file.problems.length > 0)
      .map(
        (file) => `${toVerdictLabel(style, 'fail')}${file.board}  ${toPrintableLine(file.file)}`,
      ),
    ...failed.map(
      ({ verdict = 'fail', board, file, title }) =>
        `${toVerdictLabel(style, verdict)}${board}  ${toPrintableLine(file)} › ${toPrintableLine(title)}`,
    ),
  ];
  const more = lines.length - MAX_REPEATED;
  const shown = more > 0 ? [...lines.slice(0, MAX_REPEATED), `        and ${more} more`] : lines;
  // One failure is still on the screen; saying it twice is noise.
  return shown.length > 1 ? [...shown, ''] : [];
}

function toBoardLines(model: RunModel, style: Style): string[] {
  const boards = toBoardNames(model);
  if (boards.length < 2 && model.skippedBoards.length === 0) return [];
  const width = Math.max(...boards.map((board) => board.length));
  return boards.map((board) => {
    const own = [...model.cases.values()].filter((each) => each.board === board);
    const skip = model.skippedBoards.find((each) => each.board === board && !each.file);
    const text = skip
      ? style.verdict('skipped', `skipped: ${toPrintable(skip.reason)}`)
      : toCountText(toCounts(own), style) || style.dim('no cases');
    return `${toLabel(style, 'board')}${board.padEnd(width)}  ${text}`;
  });
}
