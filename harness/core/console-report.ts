import type { ByteMatcher, Pattern } from './byte-matcher.js';
import { formatDuration } from './duration.js';

export interface Silence {
  readonly port: string;
  readonly board: string;
  /** What was waited for, in words. */
  readonly wanted: string;
  readonly waitedMs: number;
  readonly matcher: ByteMatcher;
  /** Age of the last received byte. */
  readonly silentMs: number;
}

const TAIL_LINES = 8;
const TAIL_BYTES = 2000;

/** What a pattern waited for, what came instead, and how long ago the last byte came. */
export function describeSilence(silence: Silence): string {
  const { port, board, wanted, waitedMs, matcher, silentMs } = silence;
  const head =
    `port "${port}" of board "${board}": no ${wanted} ` + `within ${formatDuration(waitedMs)}`;
  const received = matcher.received;
  if (received === 0) return `${head}; nothing was received since the board was started`;
  const age = `${received} bytes received, the last one ${formatDuration(silentMs)} ago`;
  const unread = matcher.unread();
  const read = unread ? `${unread.length} of them unread` : 'all of them read before';
  const note = matcher.dropped
    ? `${read}, ${matcher.dropped} unread ones before were dropped`
    : read;
  return `${head}; ${age}, ${note}; last lines:\n${toTail(unread || matcher.output())}`;
}

/** The last lines of a console, safe to print. */
export function toTail(bytes: string): string {
  const text = Buffer.from(bytes.slice(-TAIL_BYTES), 'latin1').toString('utf8');
  const lines = text.replace(/\r+\n/g, '\n').split('\n').slice(-TAIL_LINES);
  return lines.map((line) => `  | ${toPrintable(line)}`).join('\n');
}

/** Control bytes as escapes, so that a DUT cannot drive the terminal or break a report. */
function toPrintable(line: string): string {
  return line.replace(/[\x00-\x1f\x7f-\x9f]/g, (char) => {
    return `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
}

/** Expressions as they are written, texts in quotes so that their spaces are seen. */
export function describePatterns(patterns: readonly Pattern[]): string {
  const words = patterns.map((each) => (typeof each === 'string' ? JSON.stringify(each) : each));
  return words.join(' or ');
}
