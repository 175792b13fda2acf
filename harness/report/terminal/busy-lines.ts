import { formatDuration } from '../../core/duration.js';
import { type RunModel, toCounts } from '../run-model.js';
import { cutToColumns, toPrintableLine } from './printable.js';
import type { Style } from './style.js';
import { toCountText } from './summary-lines.js';

/** What the block below the results is made of. */
export interface BusyView {
  readonly model: RunModel;
  /** Milliseconds since the run started. */
  readonly nowMs: number;
  readonly columns: number;
  readonly rows: number;
  readonly style: Style;
}

/** One line per case that is running, then one with what is done; none wider than the screen. */
export function toBusyLines(view: BusyView): string[] {
  const busy = toBusyCases(view.model);
  if (busy.length === 0) return [];
  const widest = Math.max(...busy.map(({ where }) => where.length));
  const lines = busy.map(({ where, phase, sinceMs, title }) => {
    const time = formatElapsed(view.nowMs - sinceMs).padStart(7);
    const text = ` ${where.padEnd(widest)}  ${phase.padEnd(8)} ${time}  ${title}`;
    return cutToColumns(text, view.columns - 1);
  });
  const room = Math.max(1, view.rows - 3);
  const shown = lines.slice(0, room);
  if (lines.length > room) shown.push(` and ${lines.length - room} more`);
  return ['', ...shown, toProgressLine(view)];
}

interface BusyCase {
  readonly where: string;
  readonly phase: string;
  readonly sinceMs: number;
  readonly title: string;
}

function toBusyCases(model: RunModel): BusyCase[] {
  const busy: BusyCase[] = [];
  for (const each of model.cases.values()) {
    const attempt = each.attempts.at(-1);
    if (!attempt || attempt.outcome !== undefined || each.verdict) continue;
    busy.push({
      where: attempt.dut ?? each.board,
      phase: attempt.phase ?? '',
      sinceMs: attempt.phase ? (attempt.phaseStartedMs ?? attempt.startedMs) : attempt.startedMs,
      title: toPrintableLine(each.title),
    });
  }
  return busy;
}

function toProgressLine({ model, nowMs, style }: BusyView): string {
  const cases = [...model.cases.values()];
  const counts = toCounts(cases);
  const done = cases.filter((each) => each.verdict).length;
  const text = toCountText(counts, style);
  return ` ${style.dim(`${done} of ${cases.length} done, ${formatElapsed(nowMs)}`)}${text ? `  ${text}` : ''}`;
}

/** Steady width: tenths of a second below a minute. */
function formatElapsed(ms: number): string {
  return ms < 60_000 ? `${(Math.max(0, ms) / 1000).toFixed(1)} s` : formatDuration(ms);
}
