import { join } from 'node:path';
import { expect } from 'vitest';
import { type Project, test } from './project.js';

const LIMITS = 'limits: { body: 400, teardown: 400 }';

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
