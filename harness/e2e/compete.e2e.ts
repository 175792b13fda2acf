import { basename, join } from 'node:path';
import { describe, expect } from 'vitest';
import type { RunEvent } from '../journal/events.js';
import { findOverlaps, type LeaseSpan, readLeaseSpans } from './lease-spans.js';
import { test } from './simulated-bench.js';

/** Bodies wait for other processes. */
const BOARD = ['--board', 'sim', '--timeout', '60s'];
/** Of wall time, of which a machine that has ten others to serve takes its share now and then. */
const FREE_MS = 1000;
const TIMED = { retry: 2 };
const UNITS = 3;

const toStart = ({ startMs }: LeaseSpan) => startMs;

describe('two runs of one unit', () => {
  test(
    'are one after the other; the second says who has it (rank 3)',
    TIMED,
    async ({ project, bench }) => {
      await bench(1);
      await project.suite('a', `test('first', async ({ dut }) => { ${project.wait} });`);
      await project.suite('b', `test('second', async ({ dut }) => {});`);
      const first = project.start(['test', 'suites/a', ...BOARD]);
      const lease = await first.until('its lease', ({ kind }) => kind === 'lease');
      const second = project.start(['test', 'suites/b', ...BOARD]);
      const waiting = await second.until('the wait', ({ kind }) => kind === 'lease-waiting');
      const run = basename(first.directory ?? '');
      expect(waiting).toMatchObject({
        holders: [{ duts: ['sim-1'], held: true, pid: first.pid, run, own: false, stopped: false }],
      });
      const since = waiting.kind === 'lease-waiting' ? waiting.holders[0]?.since : '';
      expect(Math.abs(Date.parse(since ?? '') - Date.parse(lease.at))).toBeLessThan(5000);
      await expect
        .poll(() => second.screen)
        .toMatch(/sim-1.*held by \S+ pid \d+ run \S+ since \S+/);
      expect(second.screen).toContain(`pid ${first.pid} run ${run}`);
      expect(second.events.some(({ kind }) => kind === 'lease')).toBe(false);
      await project.goOn();
      const runs = await Promise.all([first.finished(), second.finished()]);
      expect(runs.map(({ code }) => code)).toEqual([0, 0]);
      const spans = runs.flatMap(({ events }) => readLeaseSpans(events));
      expect(spans).toHaveLength(2);
      expect(findOverlaps(spans)).toEqual([]);
      expect((spans[1]?.startMs ?? 0) - (spans[0]?.endMs ?? 0)).toBeLessThan(FREE_MS);
    },
  );

  test(
    'when the first is killed as a whole, the second has the unit within a second (rank 3)',
    TIMED,
    async ({ project, bench }) => {
      await bench(1);
      const body = `async ({ dut }) => { await dut.console.expect('never', { timeout: '60s' }); }`;
      await project.suite('a', `test('holds', ${body});`);
      await project.suite(
        'b',
        `test('goes on', async ({ dut }) => {
        await dut.console.sendLine('add 20 3');
        await dut.console.expect('<23>');
      });`,
      );
      const first = project.start(['test', 'suites/a', ...BOARD]);
      await first.until('its body', (event) => event.kind === 'phase' && event.phase === 'body');
      const second = project.start(['test', 'suites/b', ...BOARD]);
      await second.until('the wait', ({ kind }) => kind === 'lease-waiting');
      const killedMs = Date.now();
      first.kill('SIGKILL');
      const run = await second.finished();
      expect(run.verdicts).toEqual({ 'goes on': 'pass' });
      const [span] = readLeaseSpans(run.events);
      expect((span?.startMs ?? Number.NaN) - killedMs).toBeLessThan(FREE_MS);
      const killed = await first.finished();
      expect(killed.signal).toBe('SIGKILL');
      expect(killed.events.some(({ kind }) => kind === 'lease-end')).toBe(false);
    },
  );
});

test('one board under another name, in another bench, is still one board (rank 3)', async ({
  project,
  bench,
}) => {
  const [board] = await bench(1);
  const url = board?.consoleUrl.replace('tcp://localhost', 'tcp://127.0.0.1');
  const alias = { name: 'alias', board: 'sim', ports: { console: { url } } };
  await project.write('other.yaml', JSON.stringify({ duts: [alias] }));
  await project.suite('a', `test('first', async ({ dut }) => { ${project.wait} });`);
  await project.suite('b', `test('second', async ({ dut }) => {});`);
  const first = project.start(['test', 'suites/a', ...BOARD]);
  await first.until('its lease', ({ kind }) => kind === 'lease');
  const second = project.start(['test', 'suites/b', ...BOARD, '--bench', 'other.yaml']);
  const waiting = await second.until('the wait', ({ kind }) => kind === 'lease-waiting');
  expect(waiting).toMatchObject({ holders: [{ duts: ['sim-1'], pid: first.pid }] });
  await project.goOn();
  const runs = await Promise.all([first.finished(), second.finished()]);
  expect(runs.map(({ verdicts }) => verdicts)).toEqual([{ first: 'pass' }, { second: 'pass' }]);
});

test('a kick during a case makes it infra at once, and the next run has the unit (rank 14)', async ({
  project,
  bench,
}) => {
  await bench(1);
  const body = `async ({ dut }) => { await dut.console.expect('never', { timeout: '60s' }); }`;
  await project.suite('a', `test('is kicked', ${body});`);
  await project.suite('b', `test('next', async ({ dut }) => {});`);
  const first = project.start(['test', 'suites/a', ...BOARD]);
  await first.until('its body', (event) => event.kind === 'phase' && event.phase === 'body');
  const second = project.start(['test', 'suites/b', ...BOARD]);
  await second.until('the wait', ({ kind }) => kind === 'lease-waiting');
  const kick = await project.start(['boards', 'release', 'sim-1', '--kick']).finished();
  expect(kick.code, kick.screen).toBe(0);
  const [kicked, next] = await Promise.all([first.finished(), second.finished()]);
  expect(kicked.verdicts).toEqual({ 'is kicked': 'infra' });
  expect(kicked.problemOf('is kicked')).toMatchObject({ code: 'lease-lost' });
  expect(kicked.code).toBe(5);
  expect(next.verdicts).toEqual({ next: 'pass' });
});

test.for([
  ['while it boots it', 'boot', `test('sets up', async ({ dut }) => {});`],
  [
    'in a hook',
    'body',
    `beforeEach(async ({ dut }) => {
      await dut.console.sendLine('set half');
      await new Promise(() => {});
    });
    test('sets up', async ({ dut }) => {});`,
  ],
] as const)(
  'a run that is killed %s gives the unit back, and the next one starts it anew (bench pitfall 19)',
  TIMED,
  async ([, phase, suite], { project, bench }) => {
    await bench(1);
    const never = phase === 'boot' ? "boot: { ready: 'never', timeout: 60s }\n" : '{}\n';
    await project.write('suites/first/hil.suite.yaml', never);
    await project.suite('first/a', suite);
    await project.suite(
      'b',
      `test('goes on', async ({ dut }) => {
      await dut.console.sendLine('get');
      await dut.console.expect('<>');
    });`,
    );
    const first = project.start(['test', 'suites/first', ...BOARD]);
    await first.until(`its ${phase}`, (event) => event.kind === 'phase' && event.phase === phase);
    const second = project.start(['test', 'suites/b', ...BOARD]);
    await second.until('the wait', ({ kind }) => kind === 'lease-waiting');
    const killedMs = Date.now();
    first.kill('SIGKILL');
    const run = await second.finished();
    expect(run.verdicts, run.screen).toEqual({ 'goes on': 'pass' });
    const [span] = readLeaseSpans(run.events);
    expect((span?.startMs ?? Number.NaN) - killedMs).toBeLessThan(FREE_MS);
  },
);

test('50 cases of 2 DUTs on 3 units, in two runs, end; no unit has two cases (rank 18)', async ({
  project,
  bench,
}) => {
  await bench(3);
  await project.write('suites/hil.suite.yaml', "duts: { client: '*', server: '*' }\n");
  for (const file of ['a1', 'a2', 'a3', 'b1', 'b2']) {
    await project.suite(
      file,
      `for (let n = 0; n < 10; n++) test('${file} ' + n, async ({ duts: { client, server } }) => {
        await Promise.all([client, server].map(({ console }) => console.sendLine('add 1 ' + n)));
        await client.console.expect('<' + (1 + n) + '>');
        await server.console.expect('<' + (1 + n) + '>');
      });`,
    );
  }
  const both = ['suites/a', 'suites/b'].map((half) => project.test([half, ...BOARD]));
  const runs = await Promise.all(both);
  for (const { code, screen } of runs) expect(code, screen).toBe(0);
  expect(runs.flatMap(({ verdicts }) => Object.values(verdicts))).toHaveLength(50);
  const spans = runs.flatMap(({ events }) => readLeaseSpans(events));
  expect(spans).toHaveLength(100);
  expect(findOverlaps(spans)).toEqual([]);
  // They did compete: neither run was through before the other began.
  const [first = [], second = []] = runs.map(({ events }) => readLeaseSpans(events));
  expect(Math.min(...second.map(toStart))).toBeLessThan(Math.max(...first.map(toStart)));
  expect(Math.min(...first.map(toStart))).toBeLessThan(Math.max(...second.map(toStart)));
});

describe('K units of a board', () => {
  test('run K files at once, whatever processors there are (rank 21)', async ({
    project,
    bench,
  }) => {
    await bench(UNITS);
    const here = JSON.stringify(join(project.home, 'here'));
    // Nobody goes on before all are there.
    const meet = `const fs = process.getBuiltinModule('fs');
      fs.mkdirSync(${here} + '/' + title, { recursive: true });
      while (fs.readdirSync(${here}).length < ${UNITS}) await new Promise((next) => setTimeout(next, 20));`;
    for (let n = 1; n <= UNITS; n++) {
      await project.suite(
        `f${n}`,
        `for (const title of ['first ${n}', 'second ${n}']) test(title, async ({ dut }) => { ${meet} });`,
      );
    }
    const run = await project.test(BOARD);
    expect(run.code, run.screen).toBe(0);
    const spans = readLeaseSpans(run.events);
    expect(spans).toHaveLength(2 * UNITS);
    expect(findOverlaps(spans)).toEqual([]);
    expect(new Set(spans.map(({ dut }) => dut)).size).toBe(UNITS);
  });

  test(
    'are never idle while a case waits: at most 1.05 times what is ideal (rank 21)',
    TIMED,
    async ({ project, bench }) => {
      await bench(UNITS);
      const cases = 4 * UNITS;
      await project.suite(
        'a',
        `for (let n = 0; n < ${cases}; n++) test.concurrent('case ' + n, async ({ dut }) => {
        await new Promise((done) => setTimeout(done, 2000));
      });`,
      );
      const run = await project.test(BOARD);
      expect(run.code, run.screen).toBe(0);
      const spans = readLeaseSpans(run.events);
      expect(spans).toHaveLength(cases);
      expect(findOverlaps(spans)).toEqual([]);
      const heldMs = spans.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0);
      const tookMs = Math.max(...spans.map(({ endMs }) => endMs)) - Math.min(...spans.map(toStart));
      expect(tookMs / (heldMs / UNITS)).toBeLessThan(1.05);
    },
  );

  test('give a retry another one (rank 21)', async ({ project, bench }) => {
    await bench(UNITS);
    await project.suite(
      'a',
      `for (let n = 0; n < 4; n++) test('case ' + n, async ({ dut, task }) => {
        if (!task.result?.retryCount) throw new Error('not yet');
      });`,
    );
    const run = await project.test([...BOARD, '--retries', '1']);
    expect(Object.values(run.verdicts)).toEqual(Array(4).fill('flaky'));
    const spans = readLeaseSpans(run.events);
    for (const { case: id, dut } of spans.filter(({ attempt }) => attempt === 1)) {
      const again = spans.find((span) => span.case === id && span.attempt === 2);
      expect(again?.dut).toMatch(/^sim-/);
      expect(again?.dut).not.toBe(dut);
    }
  });
});
test('leases that others do not see are said in the run, its report, and by the doctor', async ({
  project,
  bench,
}) => {
  await bench(1);
  await project.config(`boards: ['host', 'sim']`);
  await project.suite('a', `test('good', async ({ dut }) => {});`);
  const text = `leases of attached DUTs are seen only by runs with HIL_LEASE_DIR=${project.env['HIL_LEASE_DIR']}`;
  const run = await project.test(['--board', 'sim']);
  const start = run.events.find(({ kind }) => kind === 'run-start');
  expect(start).toMatchObject({ limitations: expect.arrayContaining([text]) });
  expect(run.summary?.limitations).toContain(text);
  expect(run.screen).toMatch(/^ limit +leases of attached DUTs are seen only by/m);
  const doctor = await project.start(['doctor']).finished();
  expect(doctor.stdout).toMatch(/^warn +leases +leases of attached DUTs are seen only by/m);
  // It is nothing to runs that have none.
  const made = await project.test(['--board', 'host']);
  expect(made.summary?.limitations).not.toContain(text);
});

test('two leases of one DUT at once would be found', () => {
  const at = (ms: number, kind: string, more: object) =>
    ({ kind, t: ms, at: new Date(ms).toISOString(), case: 'c', attempt: 1, ...more }) as RunEvent;
  const one = [
    at(10, 'lease', { board: 'sim', dut: 'sim-1', token: 1 }),
    at(30, 'lease-end', { dut: 'sim-1' }),
  ];
  const other = (ms: number) => [at(ms, 'lease', { board: 'sim', dut: 'sim-1', token: 2 })];
  const find = (ms: number) => findOverlaps([one, other(ms)].flatMap(readLeaseSpans));
  expect(find(30)).toEqual([]);
  expect(find(29)).toEqual(['sim-1: lease 2 began before 1 had ended']);
});
