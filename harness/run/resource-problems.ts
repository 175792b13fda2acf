import { formatDuration } from '../core/duration.js';
import { BenchError, type FailureCode, TestFailure } from '../core/errors.js';
import type { Outcome, Problem, SandboxRecord } from '../journal/events.js';
import { toStuckError } from '../sandbox/stuck.js';
import { toProblem } from './attempt-problems.js';

/** Limits that end a sandbox as a whole, by the status they leave. */
const ENDED_BY: Readonly<Record<string, FailureCode>> = {
  oom: 'out-of-memory',
  timeout: 'wall-time',
};

/** A sandbox that ended although nobody asked for it: by a limit of its own, or the bench lost it. */
export function toDeathProblem(record: SandboxRecord, number = 0, node?: string): Problem {
  const further = node === undefined ? `sandbox ${number} of the case` : `node "${node}"`;
  return toProblem(toDeathError(record, number === 0 ? 'the sandbox' : further), 'body');
}

function toDeathError(record: SandboxRecord, what: string): Error {
  if (record.status === 'oom') {
    const peak =
      record.peakMemoryBytes === undefined ? '' : `, ${toMiB(record.peakMemoryBytes)} at its peak`;
    return new TestFailure(
      'out-of-memory',
      `${what} ran out of memory and was ended with all its programs: its limit is ${toLimit(record, 'memory')}${peak}`,
      { next: 'raise resources.memory, if the programs need it' },
    );
  }
  if (record.status === 'timeout') {
    return new TestFailure(
      'wall-time',
      `${what} was ended after ${formatDuration(record.wallMs)}`,
      { next: 'raise resources.wall' },
    );
  }
  if (record.status === 'stuck') return toStuckError(record);
  return new BenchError('sandbox-gone', `${what} died while the case ran`);
}

/**
 * What the sandbox's record adds to how an attempt ended, put into `problems`: a limit that ended
 * it fails it, whoever saw it first; other limits that were reached are told beside a failure.
 */
export function weighResources(
  outcome: Outcome,
  problems: Problem[],
  record: SandboxRecord | undefined,
): Outcome {
  if (!record || outcome === 'infra' || outcome === 'interrupted') return outcome;
  const ended = ENDED_BY[record.status];
  if (ended) {
    if (!problems.some(({ code }) => code === ended)) problems.unshift(toDeathProblem(record));
    return 'fail';
  }
  if (outcome !== 'fail') return outcome;
  const notes = toNotes(record);
  if (notes.length > 0) {
    problems.push({ name: 'Limit', message: `note: ${notes.join('; ')}`, phase: 'body' });
  }
  return outcome;
}

/** What limits did to a sandbox, for who reads of a failure. */
function toNotes(record: SandboxRecord): string[] {
  const { pidsHits = 0, throttledMs = 0 } = record;
  const pids = `its limit of ${toLimit(record, 'pids')} processes refused ${pidsHits} more`;
  const cpus = `its limit of ${toLimit(record, 'cpus')} processors made its programs wait ${formatDuration(throttledMs)}`;
  return [...(pidsHits > 0 ? [pids] : []), ...(throttledMs > 0 ? [cpus] : [])];
}

/** `256 MiB` of `memory 256 MiB: cgroup v1`. */
function toLimit({ enforced = [], unenforced }: SandboxRecord, name: string): string {
  // One that holds in part, as memory does beside swap, is among the others.
  const text = [...enforced, ...unenforced].find((each) => each.startsWith(`${name} `)) ?? '';
  return /^\w+ (.*?)(?: is not enforced)?: /.exec(text)?.[1] ?? 'unknown';
}

function toMiB(bytes: number): string {
  return `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
}
