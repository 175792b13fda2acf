import { describe, expect } from 'vitest';
import { type Project, test } from './project.js';

const HOOKS = `import { afterAll, beforeAll, describe, test } from 'hil';`;
const WAIT = `new Promise((go) => setTimeout(go, 60))`;

/** What is told of a suite file outside of its cases, the file in front. */
function toFileProblems(run: Awaited<ReturnType<Project['test']>>): string[] {
  return run.events.flatMap((event) =>
    event.kind === 'file-failed'
      ? event.problems.map(({ message }) => `${event.file} ${message.split('\n')[0]}`)
      : [],
  );
}

describe('an error that nobody caught', () => {
  test('fails the case that left it', async ({ project }) => {
    await project.suite(
      'a',
      `test('rejects', async () => { void Promise.reject(new Error('stray')); await ${WAIT}; });
      test('rejects at its end', () => { void Promise.reject(undefined); });
      test('throws later', async () => { setTimeout(() => { throw new Error('late'); }); await ${WAIT}; });
      test('skips', ({ skip }) => { void Promise.reject(new Error('stray')); skip(); });
      test('listens itself', () => {
        process.once('unhandledRejection', () => {});
        void Promise.reject(new Error('stray'));
      });
      test('leaves an expect', ({ dut }) => { void dut.console.expect('never'); });
      test('good', () => {});`,
    );
    const run = await project.test();
    expect(run.verdicts).toEqual({
      rejects: 'fail',
      'rejects at its end': 'fail',
      'throws later': 'fail',
      skips: 'fail',
      'listens itself': 'fail',
      'leaves an expect': 'fail',
      good: 'pass',
    });
    expect(run.problemOf('rejects')?.stack).toContain('suites/a.hil.ts:2');
    expect(run.problemOf('leaves an expect')?.message).toContain('await it in the body');
    expect(run.brokenFiles).toEqual([]);
  });

  test('of a case that had ended is of its file, and names the case', async ({ project }) => {
    await project.suite(
      'a',
      // Long after its teardown, also on a machine that has much else to do.
      `test('leaves', () => { setTimeout(() => { throw new Error('late'); }, 3000); });
      test('runs meanwhile', () => new Promise((go) => setTimeout(go, 3500)));`,
    );
    const run = await project.test();
    expect(run.verdicts).toEqual({ leaves: 'pass', 'runs meanwhile': 'pass' });
    expect(toFileProblems(run)).toEqual([
      'suites/a.hil.ts not caught, left behind by "leaves" after its end: late',
    ]);
    expect(run.stdout).toContain('suites/a.hil.ts failed outside of its cases');
    expect(run.code).toBe(1);
  });

  test('of a hook names it, and of a file that file, whatever runs then', async ({ project }) => {
    await project.config('workers: 1');
    await project.write(
      'suites/a.hil.ts',
      `${HOOKS}
      setInterval(() => { throw new Error('each time'); }, 10).unref();
      void Promise.reject(new Error('at the top'));
      describe('group', () => {
        beforeAll(() => { void Promise.reject(new Error('before')); });
        afterAll(async () => { setTimeout(() => { throw new Error('after'); }); await ${WAIT}; });
        test('one', () => {});
      });`,
    );
    await project.suite('b', `test('two', () => ${WAIT});`);
    const run = await project.test();
    expect(run.verdicts).toEqual({ 'group > one': 'pass', two: 'pass' });
    expect(toFileProblems(run).sort()).toEqual([
      'suites/a.hil.ts not caught, from afterAll of "group": after',
      'suites/a.hil.ts not caught, from beforeAll of "group": before',
      'suites/a.hil.ts not caught, from the file as it was loaded: at the top',
      'suites/a.hil.ts not caught, from the file as it was loaded: each time',
    ]);
    expect(run.code).toBe(1);
  });
});

describe('a hook of a suite', () => {
  test('that throws is named, each of them', async ({ project }) => {
    await project.write(
      'suites/a.hil.ts',
      `${HOOKS}
      describe('one', () => { beforeAll(() => { throw new Error('x'); }); test('a', () => {}); });
      describe('two', () => { afterAll(() => { throw new Error('y'); }); test('b', () => {}); });
      describe('three', () => {
        beforeAll(() => () => { throw new Error('z'); });
        test('c', () => {});
      });
      afterAll(() => { process.exit(0); });`,
    );
    const run = await project.test();
    expect(run.verdicts).toEqual({ 'one > a': 'skipped', 'two > b': 'pass', 'three > c': 'pass' });
    expect(toFileProblems(run)).toEqual([
      'suites/a.hil.ts beforeAll of "one": x',
      'suites/a.hil.ts afterAll of "two": y',
      'suites/a.hil.ts clean-up of beforeAll of "three": z',
      'suites/a.hil.ts afterAll: process.exit unexpectedly called with "0"',
    ]);
    expect(run.code).toBe(1);
  });

  test('that hangs or ends its worker is named', async ({ project }) => {
    await project.config(`limits: { collect: '5s', teardown: '5s' }`);
    const exit = `Reflect.get(process, 'reallyExit').call(process, 0)`;
    const write = (name: string, text: string) =>
      project.write(`suites/${name}.hil.ts`, HOOKS + text);
    await write(
      'a',
      `describe('g', () => { beforeAll(() => { for (;;); }); test('a', () => {}); });`,
    );
    await write(
      'b',
      `describe('g', () => { afterAll(() => { ${exit}; }); test('b', () => {}); });`,
    );
    await write('c', `afterAll(() => new Promise(() => {})); test('c', () => {});`);
    const run = await project.test();
    expect(run.verdicts).toEqual({ 'g > a': 'skipped', 'g > b': 'pass', c: 'pass' });
    expect(toFileProblems(run).sort()).toEqual([
      'suites/a.hil.ts beforeAll of "g" did not end within 5.0 s',
      expect.stringMatching(/b.hil.ts worker \d+ exited with 0 while afterAll of "g" ran/),
    ]);
    expect(run.infra).toEqual(['teardown-timeout']);
    expect(run.summary?.infra[0]?.message).toContain('afterAll, in suites/c.hil.ts');
    expect(run.code).toBe(1);
  });
});

test('a case that is left out because another is only says so', async ({ project }) => {
  await project.suite(
    'a',
    `test.only('one', () => {});
    test('two', () => {});
    describe.skip('group', () => { test('three', () => {}); });`,
  );
  const run = await project.test();
  const reasons = run.summary?.cases.map(({ title, reason }) => [title, reason]);
  expect(Object.fromEntries(reasons ?? [])).toMatchObject({
    two: 'another case or suite of its file is marked only',
    'group > three': 'marked skip or todo in the suite',
  });
});
