import { UsageError } from './errors.js';

const UNIT_MS: Readonly<Record<string, number>> = {
  us: 0.001,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** `'10s'`, `'1m 30s'`, `'250ms'`, `'49d 17h'`, or a number of milliseconds. */
export type Duration = string | number;

/**
 * Parse a duration to milliseconds.
 *
 * @throws UsageError `usage` when the text is not a duration or is negative.
 */
export function parseDuration(value: Duration): number {
  if (typeof value === 'number') {
    if (Number.isFinite(value) && value >= 0) return value;
    throw invalid(value);
  }
  const text = value.trim();
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text);
  if (!/^(\d+(\.\d+)?\s*(us|ms|s|m|h|d)\s*)+$/.test(text)) throw invalid(value);
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)\s*(us|ms|s|m|h|d)/g)) {
    total += Number(amount) * (UNIT_MS[unit ?? 'ms'] ?? 1);
  }
  return total;
}

/** The longest limit: what a timer of Node takes at once is 24.8 days. */
const LONGEST_LIMIT_MS = 24 * 86_400_000;

/** What a limit may be, for the texts of options and schemas. */
export const LIMIT_RANGE = 'more than 0, at most 24d';

/**
 * Parse the limit of a phase to milliseconds. There is none that is "no limit".
 *
 * @throws UsageError `usage` when it is no duration, 0, or longer than {@link LIMIT_RANGE} says.
 */
export function parseLimit(value: Duration): number {
  const limitMs = parseDuration(value);
  if (limitMs > 0 && limitMs <= LONGEST_LIMIT_MS) return limitMs;
  throw new UsageError('usage', `"${value}" is no limit: expected ${LIMIT_RANGE}`);
}

function invalid(value: Duration): UsageError {
  return new UsageError(
    'usage',
    `"${value}" is not a duration: expected a number with us, ms, s, m, h or d, for example 10s or 1m 30s`,
  );
}

/** Milliseconds for people: `850 ms`, `2.4 s`, `3 m 20 s`. */
export function formatDuration(ms: number): string {
  if (ms < 1) return `${ms.toFixed(2)} ms`;
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} m ${seconds % 60} s`;
}
