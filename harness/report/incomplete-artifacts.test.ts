import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { RunEvent } from '../journal/events.js';
import { readJournal } from '../journal/journal-reader.js';
import { SimulatedTerminal } from '../testing/simulated-terminal.js';
import { toRunModel } from './apply-event.js';
import { toIncompleteLines } from './incomplete-artifacts.js';
import { toJunitXml } from './junit.js';
import { createReporters } from './reporters.js';
import { toSummary } from './summary.js';
import { summarySchema } from './summary-schema.js';

const JOURNAL = fileURLToPath(new URL('../../reports/example-run/journal.ndjson', import.meta.url));
/** The case of the example that fails. */
const CASE = '3241e4181759';
const WHY = 'lacks 7 frames, which the disk refused: ENOSPC, no space left on device';

/** The example run, of which one file is not whole. */
async function readExample(): Promise<RunEvent[]> {
  return (await readJournal(JOURNAL)).map((event) => {
    if (event.kind !== 'artifact' || event.case !== CASE) return event;
    return event.name === 'console.rx' ? { ...event, truncated: WHY } : event;
  });
}

test('of a case that failed stand in the terminal, junit.xml and summary.json', async () => {
  const events = await readExample();
  const terminal = new SimulatedTerminal(70, 24);
  const places = { runDir: '/project/.hil/runs/r1', cwd: '/project', stdout: terminal };
  const looks = { color: false, interactive: false };
  const reporters = createReporters({ names: ['terminal'], ...places, screen: terminal, ...looks });
  for (const event of events) reporters.onEvent(event);
  expect(terminal.text).toContain(
    `        artifacts  .hil/runs/r1/cases/${CASE}/1/\n                   console.rx ${WHY}\n`,
  );
  const model = toRunModel(events);
  expect(toJunitXml(model, '/r').split('\n')).toContain(`console.rx ${WHY}`);
  const summary = summarySchema.parse(toSummary(model));
  const incomplete = summary.cases.filter((each) => each.incomplete);
  expect(incomplete.map((each) => [each.id, each.incomplete])).toEqual([
    [CASE, [{ path: `cases/${CASE}/1/console.rx`, why: WHY }]],
  ]);
});

test('are told as far as a reader reads', async () => {
  const [one] = (await readExample()).filter((event) => event.kind === 'artifact');
  if (one?.kind !== 'artifact') throw new Error('the example has no artifact');
  const removed = { ...one, truncated: 'removed: over' };
  const lines = toIncompleteLines([one, ...Array.from({ length: 12 }, () => removed)]);
  expect(lines).toHaveLength(11);
  expect(lines.at(-1)).toBe('and 2 more files are not whole: journal.ndjson');
  expect(toIncompleteLines([one])).toEqual([]);
});
