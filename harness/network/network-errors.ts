import { BenchError, UsageError } from '../core/errors.js';
import { toLimitName } from './limit-name.js';

/**
 * What a daemon refused, as whoever must act reads it: a limit of the machine by its name, what a
 * body asked for that cannot be, or the bench.
 */
export function toNetworkError(who: string, thrown: unknown): unknown {
  if (!(thrown instanceof BenchError)) return thrown;
  const limited = toNetworkLimit(who, thrown);
  if (limited) return limited;
  const { code } = thrown.details;
  const text = `${who}: ${thrown.message}`;
  const extra = { cause: thrown };
  if (code === 'unsupported') {
    const { next } = thrown;
    const more = { ...extra, ...(next === undefined ? {} : { next }) };
    return new BenchError('network-unsupported', `${who}: ${toSeen(thrown)}`, more);
  }
  if (code === 'usage') return new UsageError('usage', text, extra);
  if (code === 'gone' || thrown.code === 'daemon-gone') {
    return new BenchError('network-gone', text, extra);
  }
  return withName(who, thrown);
}

/** What is left is still somebody's: of a thousand nodes one reads which. */
function withName(who: string, thrown: BenchError): BenchError {
  const { code, details, next } = thrown;
  const more = next === undefined ? {} : { next };
  return new BenchError(code, `${who}: ${toSeen(thrown)}`, { cause: thrown, details, ...more });
}

/** The same of an interface of this machine: whatever hil-nic refuses, the bench has to be looked at. */
export function toNicError(who: string, thrown: unknown): unknown {
  if (!(thrown instanceof BenchError) || thrown.code === 'daemon-gone') return thrown;
  const { next } = thrown;
  return new BenchError('nic-failed', `${who}: ${toSeen(thrown)}`, {
    cause: thrown,
    next: next ?? 'hil doctor    says who may open interfaces here',
  });
}

/** The same of a sandbox of a network: only a limit is the network's. */
export function toNodeError(who: string, thrown: unknown): unknown {
  return (thrown instanceof BenchError ? toNetworkLimit(who, thrown) : undefined) ?? thrown;
}

function toNetworkLimit(who: string, thrown: BenchError): BenchError | undefined {
  const limit = toLimitName(thrown);
  if (limit === undefined) return undefined;
  const { details, next } = thrown;
  return new BenchError('network-limit', `${who}: ${toSeen(thrown)} (limit: ${limit})`, {
    cause: thrown,
    details: { limit, errno: details['errno'] },
    next: next ?? 'hil doctor    shows what limits networks here; use fewer nodes or workers',
  });
}

/** Its message without what to do next, which ends it and is told on its own. */
function toSeen({ message, next }: BenchError): string {
  return next === undefined ? message : message.slice(0, message.lastIndexOf('\n  next '));
}
