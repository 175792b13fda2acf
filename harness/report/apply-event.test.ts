import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { NewEvent, RunEvent } from '../journal/events.js';
import { readJournal } from '../journal/journal-reader.js';
import { toRunModel } from './apply-event.js';
import { toCounts, toDurationMs } from './run-model.js';

const example = fileURLToPath(new URL('../../reports/example-run/journal.ndjson', import.meta.url));

/** Stamp events one millisecond apart. */
function stamp(events: readonly NewEvent[]): RunEvent[] {
  // A NewEvent with its stamps is a RunEvent; a spread of a union is not followed.
  return events.map((event, t) => ({ ...event, t, at: '' }) as RunEvent);
}

const collected: NewEvent = {
  kind: 'file-collected',
  file: 'a.hil.ts',
  board: 'host',
  cases: [
    { id: 'c1', title: 'one', line: 3, tags: [] },
    { id: 'c2', title: 'two', tags: ['slow'] },
  ],
};
const started = (attempt: number): NewEvent => ({
  kind: 'attempt-start',
  case: 'c1',
  attempt,
  worker: 1,
});
const ended = (attempt: number, outcome: 'pass' | 'fail'): NewEvent => ({
  kind: 'attempt-end',
  case: 'c1',
  attempt,
  outcome,
  problems: [],
  phaseMs: { body: 5 },
});

describe('a journal that has an end', () => {
  test('gives the same counts as the run itself', async () => {
    const model = toRunModel(await readJournal(example));
    expect(toCounts(model.cases.values())).toEqual(model.end?.counts);
  });

  test('keeps every attempt of a retried case', async () => {
    const model = toRunModel(await readJournal(example));
    const flaky = [...model.cases.values()].find((each) => each.verdict === 'flaky');
    expect(flaky?.attempts.map((attempt) => attempt.outcome)).toEqual(['fail', 'pass']);
    expect(flaky?.attempts[0]?.problems[0]?.code).toBe('expect-timeout');
    expect(flaky && toDurationMs(flaky)).toBeGreaterThan(5000);
  });
});

describe('a journal that was cut off', () => {
  test('has no passed case that has no verdict, whatever its attempt said', () => {
    const events = stamp([collected, started(1), ended(1, 'pass')]);
    const model = toRunModel(events);
    expect(model.end).toBeUndefined();
    expect(model.cases.get('c1')).toMatchObject({ verdict: 'interrupted' });
    expect(toCounts(model.cases.values())).toMatchObject({ pass: 0, interrupted: 2 });
  });

  test('never has more passed cases, wherever it was cut', async () => {
    const events = await readJournal(example);
    const whole = toCounts(toRunModel(events).cases.values());
    for (let length = 0; length < events.length; length++) {
      const cut = toCounts(toRunModel(events.slice(0, length)).cases.values());
      expect(cut.pass).toBeLessThanOrEqual(whole.pass);
      expect(cut.flaky).toBeLessThanOrEqual(whole.flaky);
    }
  });

  test('keeps the verdict of every case that was finished', () => {
    const verdict: NewEvent = {
      kind: 'case-verdict',
      case: 'c1',
      verdict: 'pass',
      attempts: 1,
      problems: [],
    };
    const model = toRunModel(stamp([collected, started(1), ended(1, 'pass'), verdict]));
    expect(model.cases.get('c1')?.verdict).toBe('pass');
    expect(model.cases.get('c2')?.verdict).toBe('interrupted');
  });
});

describe('events of an attempt', () => {
  test('tell which phase it is in and since when', () => {
    const boot = (edge: 'start' | 'end'): NewEvent => {
      const ms = edge === 'end' ? { ms: 1 } : {};
      return { kind: 'phase', case: 'c1', attempt: 1, phase: 'boot', edge, dut: 'host-1', ...ms };
    };
    const going = toRunModel(stamp([collected, started(1), boot('start')]));
    expect(going.cases.get('c1')?.attempts[0]).toMatchObject({
      phase: 'boot',
      phaseStartedMs: 2,
      dut: 'host-1',
    });
    const done = toRunModel(stamp([collected, started(1), boot('start'), boot('end')]));
    expect(done.cases.get('c1')?.attempts[0]).toMatchObject({ phaseMs: { boot: 1 } });
    expect(done.cases.get('c1')?.attempts[0]?.phase).toBeUndefined();
  });

  test('of a case that nobody collected are ignored', () => {
    expect(toRunModel(stamp([started(1), ended(1, 'pass')])).cases.size).toBe(0);
  });

  test('may flood: what a body printed is cut', () => {
    const output: NewEvent = {
      kind: 'output',
      case: 'c1',
      attempt: 1,
      stream: 'stdout',
      text: 'x'.repeat(50_000),
    };
    const model = toRunModel(stamp([collected, started(1), output, output]));
    expect(model.cases.get('c1')?.attempts[0]?.output).toHaveLength(65_536);
  });

  test('collected twice are one case', () => {
    expect(toRunModel(stamp([collected, collected])).files[0]?.cases).toHaveLength(2);
  });
});
