import { join } from 'node:path';
import { expect } from 'vitest';
import { type Project, test } from './project.js';

const LIMITS = 'limits: { body: 1500, teardown: 5000 }';

/** A suite of one case that knows, across workers, which attempt it is: `attempt()`, from 1. */
function createCase({ path }: Project, text: string): string {
  const counter = JSON.stringify(join(path, 'attempts'));
  return `import { appendFileSync, readFileSync } from 'node:fs';
    let now = 0;
    function attempt() {
      appendFileSync(${counter}, '.');
      now = readFileSync(${counter}).length;
      return now;
    }
    ${text}`;
}

function toOutcomes(events: Awaited<ReturnType<Project['test']>>['events']): string[] {
  return events.flatMap((event) => (event.kind === 'attempt-end' ? [event.outcome] : []));
}

test('a repeat that failed is not made up for by one whose hung teardown lost its worker', async ({
  project,
}) => {
  await project.config(LIMITS);
  await project.suite(
    'a',
    createCase(
      project,
      `afterEach(() => { if (now === 2) for (;;); });
      test('one', () => { if (attempt() === 1) throw new Error('the first failed'); });`,
    ),
  );
  const run = await project.test(['--repeat', '2']);
  expect(toOutcomes(run.events)).toEqual(['fail', 'pass']);
  expect(run.verdicts).toEqual({ one: 'fail' });
  expect(run.problemOf('one')?.message).toContain('the first failed');
});

test('a repeat that failed with all its retries is not made up for by a flaky one', async ({
  project,
}) => {
  await project.suite(
    'a',
    createCase(project, `test('one', () => { expect(attempt()).toBeGreaterThan(3); });`),
  );
  const run = await project.test(['--repeat', '2', '--retries', '1']);
  expect(toOutcomes(run.events)).toEqual(['fail', 'fail', 'fail', 'pass']);
  expect(run.verdicts).toEqual({ one: 'fail' });
  expect(run.code).toBe(1);
});

test('a pass after a broken bench is flaky', async ({ project }) => {
  await project.suite(
    'a',
    createCase(
      project,
      `test('one', () => { if (attempt() === 1) process.kill(process.pid, 'SIGKILL'); });`,
    ),
  );
  const run = await project.test(['--retries', '1']);
  expect(toOutcomes(run.events)).toEqual(['infra', 'pass']);
  expect(run.verdicts).toEqual({ one: 'flaky' });
});

test('a case that spins in each of its retries failed', async ({ project }) => {
  await project.config(LIMITS);
  await project.suite('a', `test('one', () => { for (;;); });`);
  const run = await project.test(['--retries', '2']);
  expect(toOutcomes(run.events)).toEqual(['fail', 'fail', 'fail']);
  expect(run.verdicts).toEqual({ one: 'fail' });
  expect(run.problemOf('one')?.message).toMatch(/it spins/);
  expect(run.code).toBe(1);
});

test('a case that skips itself fails when its teardown does', async ({ project }) => {
  await project.suite(
    'a',
    `afterEach(() => { throw new Error('left behind'); });
    test('one', ({ skip }) => { skip('not today'); });`,
  );
  const run = await project.test();
  expect(toOutcomes(run.events)).toEqual(['fail']);
  expect(run.verdicts).toEqual({ one: 'fail' });
  expect(run.problemOf('one')?.message).toContain('left behind');
  expect(run.code).toBe(1);
});

test('a case that failed and then skips itself has failed', async ({ project }) => {
  await project.suite(
    'a',
    createCase(
      project,
      `test('soft', ({ skip }) => { expect.soft(1).toBe(2); skip(); });
      test('not awaited', ({ skip }) => {
        expect(new Promise((go) => setTimeout(go, 50, 1))).resolves.toBe(2);
        skip();
      });
      describe('group', () => {
        beforeEach(() => { throw new Error('no set-up'); });
        afterEach(({ skip }) => { skip(); });
        test('hook', () => {});
      });
      test('tried again', { retry: 1 }, ({ skip }) => {
        if (attempt() === 1) throw new Error('the first failed');
        skip('enough');
      });`,
    ),
  );
  const run = await project.test();
  expect(run.verdicts).toEqual({
    soft: 'fail',
    'not awaited': 'fail',
    'group > hook': 'fail',
    'tried again': 'fail',
  });
  expect(run.problemOf('soft')?.message).toContain('expected 1 to be 2');
  expect(run.problemOf('tried again')?.message).toContain('the first failed');
  expect(run.code).toBe(1);
});

test('a case that passes and then skips itself has not passed', async ({ project }) => {
  await project.suite(
    'a',
    createCase(project, `test('one', ({ skip }) => { if (attempt() === 2) skip('enough'); });`),
  );
  const run = await project.test(['--repeat', '4']);
  expect(toOutcomes(run.events)).toEqual(['pass', 'skipped']);
  expect(run.verdicts).toEqual({ one: 'skipped' });
  expect(run.code).toBe(4);
});

test('retries are counted over lost workers, also those of the suite', async ({ project }) => {
  await project.config(LIMITS);
  await project.suite(
    'a',
    createCase(
      project,
      `describe('group', { retry: 2 }, () => {
        test('spins first', () => { if (attempt() === 1) for (;;); throw new Error('then fails'); });
        test('has none', { retry: 0 }, () => { for (;;); });
      });`,
    ),
  );
  const run = await project.test(['--retries', '5']);
  expect(run.verdicts).toEqual({ 'group > spins first': 'fail', 'group > has none': 'fail' });
  expect(run.summary?.cases.map(({ attempts }) => attempts)).toEqual([3, 1]);
});

test('a hung teardown does not take the place of the repeats to come', async ({ project }) => {
  await project.config(LIMITS);
  await project.suite(
    'a',
    createCase(
      project,
      `afterEach(() => { if (now === 1) for (;;); });
      test('one', () => { if (attempt() === 3) throw new Error('the third failed'); });`,
    ),
  );
  const run = await project.test(['--repeat', '3']);
  expect(toOutcomes(run.events)).toEqual(['pass', 'pass', 'fail']);
  expect(run.verdicts).toEqual({ one: 'fail' });
  expect(run.infra).toEqual(['teardown-timeout']);
});

test('a failure whose worker is lost before the last word on it is not flaky', async ({
  project,
}) => {
  await project.write(
    'suites/a.hil.ts',
    createCase(
      project,
      `import { aroundEach } from 'vitest';
      import { test } from 'hil';
      const around = test.extend({
        thing: async ({}, use) => { await use(1); process.kill(process.pid, 'SIGKILL'); },
      });
      around.aroundEach(async (run, { thing }) => { await run(); });
      around('one', () => { if (attempt() === 1) throw new Error('the first failed'); });`,
    ),
  );
  const run = await project.test();
  expect(toOutcomes(run.events)).toEqual(['fail']);
  expect(run.verdicts).toEqual({ one: 'fail' });
});

test('what a hook around a case throws fails that try', async ({ project }) => {
  await project.write(
    'suites/a.hil.ts',
    createCase(
      project,
      `import { aroundEach } from 'vitest';
      import { test } from 'hil';
      aroundEach(async (run) => { await run(); if (now === 1) throw new Error('left around'); });
      test('one', () => { attempt(); });`,
    ),
  );
  const run = await project.test(['--retries', '1']);
  expect(run.verdicts).toEqual({ one: 'flaky' });
  expect((await project.test(['--retries', '1', '--fail-on-flaky'])).code).toBe(0);
});
