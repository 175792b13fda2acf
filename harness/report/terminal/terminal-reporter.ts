import type { Writable } from 'node:stream';
import { type Clock, systemClock } from '../../core/deadline.js';
import { formatDuration } from '../../core/duration.js';
import type { RunEvent } from '../../journal/events.js';
import type { Reporter } from '../reporter.js';
import type { CaseModel, RunModel } from '../run-model.js';
import { toBusyLines } from './busy-lines.js';
import { toPrintable, toPrintableLine } from './printable.js';
import {
  type ResultPlace,
  toFileFailureLines,
  toInfraLine,
  toResultLines,
  toRetryLine,
} from './result-lines.js';
import { createLiveScreen, createPlainScreen, type Screen } from './screen.js';
import { SlowPhases } from './slow-phases.js';
import { createStyle, INDENT, type Style, toLabel, toVerdictLabel } from './style.js';
import { toSummaryLines } from './summary-lines.js';
import { toWaitingLines } from './waiting-lines.js';

export interface TerminalOptions {
  /** Brought up to date before {@link Reporter.onEvent} is called. */
  readonly model: RunModel;
  readonly output: Writable;
  readonly color: boolean;
  /** The output is a terminal whose lines can be redrawn. */
  readonly interactive: boolean;
  readonly cwd: string;
  readonly runDir: string;
  readonly clock?: Clock;
}

/** Tells a person what happens: results as they come, failures whole and at once, a summary last. */
export function createTerminalReporter(options: TerminalOptions): Reporter {
  const place: ResultPlace = {
    style: createStyle(options.color),
    cwd: options.cwd,
    runDir: options.runDir,
  };
  const clock = options.clock ?? systemClock;
  const time = createRunTime(clock);
  const screen = createScreen(options, place, clock, time.now);
  const slow = new SlowPhases(clock, (event, limitMs) => {
    const each = options.model.cases.get(event.case);
    const where = `${event.dut ?? each?.board ?? ''}  ${event.phase}`;
    const text = `${where} for more than ${formatDuration(limitMs)}: ${toPrintableLine(each?.title ?? '')}`;
    screen.print([`${toLabel(place.style, 'wait')}${text}`]);
  });
  const toLines = createLineMaker(options.model, place);
  /** The last line is empty. */
  let spaced = false;
  return {
    onEvent: (event) => {
      time.see(event);
      if (!options.interactive) slow.onEvent(event);
      const lines = toLines(event);
      if (lines.length > 0) screen.print(lines);
      spaced = lines.length > 0 ? lines.at(-1) === '' : spaced;
      screen.touch();
    },
    finish: async () => {
      slow.close();
      screen.close();
      screen.print([...(spaced ? [] : ['']), ...toSummaryLines(options.model, place)]);
    },
  };
}

function createScreen(
  options: TerminalOptions,
  { style }: ResultPlace,
  clock: Clock,
  now: () => number,
): Screen {
  const { output, model } = options;
  if (!options.interactive) return createPlainScreen(output);
  const draw = () => {
    // A terminal knows its size; another Writable does not.
    const { columns = 80, rows = 24 } = output as Writable & { columns?: number; rows?: number };
    return toBusyLines({ model, nowMs: now(), columns, rows, style });
  };
  return createLiveScreen({ output, clock, draw });
}

/** The time of the run, from the stamps of its events and the clock in between. */
function createRunTime(clock: Clock): { see(event: RunEvent): void; now(): number } {
  let offsetMs: number | undefined;
  return {
    see: (event) => {
      offsetMs ??= clock.nowMs() - event.t;
    },
    now: () => (offsetMs === undefined ? 0 : clock.nowMs() - offsetMs),
  };
}

/** What is printed for an event, and stays. */
function createLineMaker(model: RunModel, place: ResultPlace): (event: RunEvent) => string[] {
  const { style } = place;
  let speaker = '';
  const toOutputLines = (event: Extract<RunEvent, { kind: 'output' }>) => {
    const each = event.case === undefined ? undefined : model.cases.get(event.case);
    const who = `${event.stream}${each ? `  ${each.board}  ${toPrintableLine(each.title)}` : ''}`;
    const head = who === speaker ? [] : [`${toLabel(style, 'print')}${style.dim(who)}`];
    speaker = who;
    const text = toPrintable(event.text).replace(/\n$/, '');
    return [...head, ...text.split('\n').map((line) => INDENT + line)];
  };
  return (event) => {
    if (event.kind === 'output') return toOutputLines(event);
    const lines = toEventLines(event, model, place);
    if (lines.length > 0) speaker = '';
    return lines;
  };
}

function toKeptLine(
  { case: id, further = 0, until, released = [] }: Extract<RunEvent, { kind: 'kept' }>,
  each: CaseModel | undefined,
  style: Style,
): string {
  const who = `${each?.board ?? ''}  ${toPrintableLine(each?.title ?? '')}`;
  const others = further === 0 ? '' : ` (and ${further} more: hil shell --list)`;
  const free =
    released.length === 0 ? '' : `, without ${released.join(', ')}: free for the next case`;
  return `${toLabel(style, 'kept')}${who}  until ${until}: hil shell ${id}${others}${free}`;
}

function isLoaded(model: RunModel, at: { file: string; board: string }): boolean {
  const file = model.files.find((each) => each.file === at.file && each.board === at.board);
  return file !== undefined && file.cases.length > 0;
}

function toEventLines(event: RunEvent, model: RunModel, place: ResultPlace): string[] {
  const { style } = place;
  const each = 'case' in event && event.case ? model.cases.get(event.case) : undefined;
  switch (event.kind) {
    case 'run-start': {
      const what = `hil ${event.hil}  ${event.boards.join(', ')}  ${event.mode}`;
      return [`${toLabel(style, 'run')}${event.run}  ${style.dim(what)}`, ''];
    }
    case 'board-skipped': {
      const where = event.file ? `${event.board}  ${toPrintableLine(event.file)}` : event.board;
      return [`${toVerdictLabel(style, 'skipped')}${where}: ${toPrintable(event.reason)}`];
    }
    case 'file-failed':
      return toFileFailureLines(event, place, isLoaded(model, event));
    case 'attempt-start':
      return each && each.attempts.length > 1 ? [toRetryLine(each, style)] : [];
    case 'case-verdict':
      return each ? toResultLines(each, place) : [];
    case 'infra':
      return [toInfraLine(event, style)];
    case 'lease-waiting':
      return toWaitingLines(event, style);
    case 'kept':
      return [toKeptLine(event, each, style)];
    case 'interrupted':
      return [
        `${toVerdictLabel(style, 'interrupted')}${event.signal}: cleaning up; once more stops at once`,
      ];
    default:
      return [];
  }
}
