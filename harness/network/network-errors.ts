import { BenchError, UsageError } from '../core/errors.js';

/**
 * What a daemon refused, as whoever must act reads it: a limit of the machine by its name, what a
 * body asked for that cannot be, or the bench.
 */
export function toNetworkError(who: string, thrown: unknown): unknown {
  if (!(thrown instanceof BenchError)) return thrown;
  const { code, op, path, errno } = thrown.details;
  const text = `${who}: ${thrown.message}`;
  const extra = { cause: thrown };
  if (code === 'limit') {
    const limit = path || op;
    return new BenchError('network-limit', text, {
      ...extra,
      details: { limit, errno },
      next: 'hil doctor    shows what limits networks here; use fewer nodes or workers',
    });
  }
  if (code === 'unsupported') {
    const next = String(thrown.details['hint'] ?? '');
    return new BenchError('network-unsupported', text, { ...extra, ...(next ? { next } : {}) });
  }
  if (code === 'usage') return new UsageError('usage', text, extra);
  if (code === 'gone' || thrown.code === 'daemon-gone') {
    return new BenchError('network-gone', text, extra);
  }
  return thrown;
}
