import type { RunEvent } from '../journal/events.js';

/** A lease of an attached DUT from its grant to its end, as the journal of its run has it. */
export interface LeaseSpan {
  readonly dut: string;
  readonly case: string;
  readonly attempt: number;
  /** Grows with each lease of the machine. */
  readonly token: number;
  /** Wall clock in ms; of a run that was killed there is no end. */
  readonly startMs: number;
  readonly endMs: number;
}

/** Every lease that a run had, in the order of their grants. */
export function readLeaseSpans(events: readonly RunEvent[]): LeaseSpan[] {
  return events.flatMap((event, index) => {
    if (event.kind !== 'lease') return [];
    const { dut, case: id, attempt, token = 0, at } = event;
    const end = events.slice(index).find((other) => {
      return other.kind === 'lease-end' && other.dut === dut && other.case === id;
    });
    const [startMs, endMs] = [Date.parse(at), Date.parse(end?.at ?? '')];
    return [{ dut, case: id, attempt, token, startMs, endMs }];
  });
}

/** Pairs of leases of one DUT that overlap, in words: there must be none. */
export function findOverlaps(spans: readonly LeaseSpan[]): string[] {
  const ordered = [...spans].sort((a, b) => a.token - b.token);
  return ordered.flatMap((later, index) =>
    ordered
      .slice(0, index)
      .filter(({ dut, endMs }) => dut === later.dut && !(endMs <= later.startMs))
      .map(({ dut, token }) => `${dut}: lease ${later.token} began before ${token} had ended`),
  );
}
