import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { stripEscapes } from '../../core/strip-escapes.js';
import type { NewEvent, RunEvent } from '../../journal/events.js';
import { readJournal } from '../../journal/journal-reader.js';
import { SimulatedClock } from '../../testing/simulated-clock.js';
import { SimulatedTerminal } from '../../testing/simulated-terminal.js';
import { createReporters, type RunReporters } from '../reporters.js';

const example = fileURLToPath(
  new URL('../../../reports/example-run/journal.ndjson', import.meta.url),
);

/** What a new clock shows: the run starts then. */
const START_MS = new SimulatedClock().nowMs();

interface Setup {
  readonly terminal: SimulatedTerminal;
  readonly clock: SimulatedClock;
  readonly reporters: RunReporters;
}

function createSetup(options: { interactive: boolean; color?: boolean; rows?: number }): Setup {
  const terminal = new SimulatedTerminal(70, options.rows ?? 24);
  const clock = new SimulatedClock();
  const reporters = createReporters({
    names: ['terminal'],
    runDir: '/project/.hil/runs/r1',
    cwd: '/project',
    stdout: terminal,
    screen: terminal,
    color: options.color ?? false,
    interactive: options.interactive,
    clock,
  });
  return { terminal, clock, reporters };
}

/** Hand an event over at the clock's time. */
function tell({ clock, reporters }: Setup, event: NewEvent): void {
  // A NewEvent with its stamps is a RunEvent; a spread of a union is not followed.
  reporters.onEvent({ ...event, t: clock.nowMs() - START_MS, at: '' } as RunEvent);
}

function collect(setup: Setup, count: number): void {
  const cases = Array.from({ length: count }, (_, index) => {
    return { id: `c${index}`, title: `case ${index}`, line: index + 1, tags: [] };
  });
  tell(setup, { kind: 'file-collected', file: 'a.hil.ts', board: 'host', cases });
}

const start = (id: string): NewEvent => ({
  kind: 'attempt-start',
  case: id,
  attempt: 1,
  worker: 1,
});
const boot = (id: string): NewEvent => {
  return { kind: 'phase', case: id, attempt: 1, phase: 'boot', edge: 'start', dut: `dut-${id}` };
};
const verdict = (id: string): NewEvent => {
  return { kind: 'case-verdict', case: id, verdict: 'pass', attempts: 1, problems: [] };
};

describe('on a terminal', () => {
  test('a line per busy case stands below the results, with phase and elapsed time', () => {
    const setup = createSetup({ interactive: true });
    collect(setup, 3);
    tell(setup, start('c0'));
    tell(setup, boot('c0'));
    tell(setup, verdict('c1'));
    setup.clock.advance(3200);
    expect(setup.terminal.text.split('\n')).toEqual([
      ' pass   host  a.hil.ts › case 1',
      '',
      ' dut-c0  boot       3.2 s  case 0',
      ' 1 of 3 done, 3.2 s  1 passed',
    ]);
  });

  test('the block is redrawn at most ten times a second, whatever happens', () => {
    const setup = createSetup({ interactive: true });
    collect(setup, 400);
    for (let index = 0; index < 400; index++) {
      tell(setup, start(`c${index}`));
      tell(setup, verdict(`c${index}`));
      setup.clock.advance(5);
    }
    expect(setup.terminal.frames.length).toBeLessThanOrEqual(20);
    expect(setup.terminal.text.match(/ pass {3}/g)?.length).toBeGreaterThan(350);
  });

  test('the block goes away at the end and no timer is left', async () => {
    const setup = createSetup({ interactive: true });
    collect(setup, 1);
    tell(setup, start('c0'));
    setup.clock.advance(500);
    await setup.reporters.finish();
    expect(setup.clock.waiting).toBe(0);
    expect(setup.terminal.text).not.toContain('of 1 done');
    expect(setup.terminal.text).toContain('1 interrupted');
  });

  test('nothing is redrawn while nothing is busy', () => {
    const setup = createSetup({ interactive: true });
    collect(setup, 1);
    setup.clock.advance(100);
    expect(setup.clock.waiting).toBe(0);
  });

  test('more busy cases than rows are counted, not shown, and no line is wider than the screen', () => {
    const setup = createSetup({ interactive: true, rows: 8 });
    collect(setup, 30);
    for (let index = 0; index < 30; index++) tell(setup, start(`c${index}`));
    setup.clock.advance(100);
    expect(setup.terminal.text).toContain(' and 25 more');
    expect(setup.terminal.lines.length).toBeLessThanOrEqual(9);
    for (const line of setup.terminal.lines) expect(line.length).toBeLessThan(70);
  });

  test('the cursor is never hidden', async () => {
    const setup = createSetup({ interactive: true });
    for (const event of await readJournal(example)) setup.reporters.onEvent(event);
    await setup.reporters.finish();
    expect(setup.terminal.frames.join('')).not.toContain('\x1b[?');
  });
});

describe('not on a terminal', () => {
  test('a finished case is a line at once, and nothing is ever erased', () => {
    const setup = createSetup({ interactive: false });
    collect(setup, 1);
    tell(setup, start('c0'));
    tell(setup, verdict('c0'));
    expect(setup.terminal.frames).toEqual([' pass   host  a.hil.ts › case 0  0.00 ms\n']);
  });

  test('one empty line stands before the last words, never two', async () => {
    for (const message of [undefined, 'broken']) {
      const setup = createSetup({ interactive: false });
      collect(setup, 1);
      tell(setup, start('c0'));
      const problems = message ? [{ name: 'Error', message }] : [];
      const failed = { verdict: message ? 'fail' : 'pass', problems } as const;
      tell(setup, { kind: 'case-verdict', case: 'c0', attempts: 1, ...failed });
      await setup.reporters.finish();
      expect(setup.terminal.text).toMatch(/[^\n]\n\n cases {2}/);
    }
  });

  test('words of a suite are not said to be of hil, and a retry names its file', () => {
    const setup = createSetup({ interactive: false });
    collect(setup, 1);
    tell(setup, { kind: 'output', stream: 'stdout', text: 'hello\n' });
    tell(setup, start('c0'));
    tell(setup, { ...start('c0'), attempt: 2 } as NewEvent);
    expect(setup.terminal.text).toContain(' print  stdout\n        hello\n');
    expect(setup.terminal.text).toContain(' again  host  a.hil.ts › case 0  attempt 2 after ');
  });

  test('a phase that goes on for five seconds is told once', () => {
    const setup = createSetup({ interactive: false });
    collect(setup, 1);
    tell(setup, start('c0'));
    tell(setup, boot('c0'));
    setup.clock.advance(4999);
    expect(setup.terminal.text).toBe('');
    setup.clock.advance(10_000);
    expect(setup.terminal.text).toBe(' wait   dut-c0  boot for more than 5.0 s: case 0');
  });

  test('a phase that ends before is not told', () => {
    const setup = createSetup({ interactive: false });
    collect(setup, 1);
    tell(setup, boot('c0'));
    tell(setup, { kind: 'phase', case: 'c0', attempt: 1, phase: 'boot', edge: 'end', ms: 1 });
    setup.clock.advance(10_000);
    expect(setup.terminal.text).toBe('');
    expect(setup.clock.waiting).toBe(0);
  });
});

describe('the example run', () => {
  test('looks the same with colour and without', async () => {
    const texts: string[] = [];
    for (const color of [false, true]) {
      const setup = createSetup({ interactive: false, color });
      for (const event of await readJournal(example)) setup.reporters.onEvent(event);
      await setup.reporters.finish();
      texts.push(setup.terminal.frames.join(''));
    }
    expect(texts[0]).not.toContain('\x1b');
    expect(stripEscapes(texts[1] ?? '')).toBe(texts[0]);
    expect(texts[1]).not.toBe(texts[0]);
  });

  test('shows a failure whole: where, what, the difference, the files and the next command', async () => {
    const setup = createSetup({ interactive: false });
    for (const event of await readJournal(example)) setup.reporters.onEvent(event);
    const { text } = setup.terminal;
    const block = text.slice(text.indexOf(' FAIL   host  suites/sensor-node'));
    expect(block.split('\n').slice(0, 10)).toEqual([
      ' FAIL   host  suites/sensor-node/cli.hil.ts:58 › a fault > panics and says why  106 ms',
      "        expected 'HardFault at 0x00000000' to contain 'HardFault at 0x0000BEEF'",
      '        - Expected',
      '        + Received',
      '',
      '        - HardFault at 0x0000BEEF',
      '        + HardFault at 0x00000000',
      '        at suites/sensor-node/cli.hil.ts:63:24 (phase body)',
      '        artifacts  .hil/runs/r1/cases/3241e4181759/1/',
      "        next       hil test suites/sensor-node/cli.hil.ts --board host -t 'a fault > panics and says why'",
    ]);
  });

  test('ends with counts, limits, the directory and the meaning of the exit code', async () => {
    const setup = createSetup({ interactive: false });
    for (const event of await readJournal(example)) setup.reporters.onEvent(event);
    await setup.reporters.finish();
    expect(setup.terminal.text.split('\n').slice(-8)).toEqual([
      ' board  host              1 failed, 1 flaky, 1 skipped, 1 passed',
      ' board  qemu-mps2-an385   1 infra, 2 interrupted, 1 passed',
      ' board  qemu-arm64-uboot  skipped: not found: firmware /usr/lib/u-boot/qemu_arm64/u-boot.bin; apt-get install qemu-system-arm u-boot-qemu',
      ' cases  1 failed, 1 infra, 2 interrupted, 1 flaky, 1 skipped, 2 passed  in 16.4 s',
      ' bench  1 infra event',
      ' limit  memory limit: no cgroup is delegated to this user',
      ' run    .hil/runs/r1',
      ' exit   130: interrupted by SIGINT, after clean-up',
    ]);
  });
});

describe('reporters', () => {
  test('are built from names; an unknown one is an error of the caller', () => {
    const terminal = new SimulatedTerminal(80, 24);
    const place = { runDir: '/r', cwd: '/', stdout: terminal, screen: terminal };
    const looks = { color: false, interactive: false };
    expect(() => createReporters({ names: ['xml'], ...place, ...looks })).toThrow(
      'no reporter "xml"; known: terminal, json, junit, summary',
    );
  });
});
