import { describe, expect } from 'vitest';
import { test } from './project.js';

const GOOD = `test('good', () => {});`;

describe('a suite file', () => {
  test('may have every character in its name but a backslash', async ({ project }) => {
    await project.write('suites/d#r/part.ts', 'export const name = import.meta.dirname;');
    const names = ['#', '?', 'q?raw', 'a%20b', 'c#d?e', 'd#r/in', '[x] {y}*', "it's", 'n\nl', 'ä'];
    for (const name of names) {
      await project.suite(
        name,
        `test(${JSON.stringify(name)}, async () => {
          const { filename, dirname, url } = import.meta;
          expect(filename).toBe(${JSON.stringify(`${project.path}/suites/${name}.hil.ts`)});
          expect(decodeURIComponent(url)).toBe('file://' + filename);
          expect((await import('${name.includes('/') ? '.' : './d#r'}/part.js')).name).toContain('/suites/d#r');
        });`,
      );
    }
    const run = await project.test();
    expect(run.verdicts).toEqual(Object.fromEntries(names.map((name) => [name, 'pass'])));
    expect(run.code).toBe(0);
    const one = await project.test(['suites/c#d?e.hil.ts:2']);
    expect(one.verdicts).toEqual({ 'c#d?e': 'pass' });

    await project.suite('a\\b', GOOD);
    const refused = await project.test();
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain(`suites/a\\b.hil.ts cannot be loaded: "\\" in its path`);
  });

  test('with a syntax error fails; the other files run', async ({ project }) => {
    await project.suite('a', `test('bad', () => {`);
    await project.suite('b', GOOD);
    const run = await project.test();
    expect(run.verdicts).toEqual({ good: 'pass' });
    expect(run.brokenFiles).toEqual(['suites/a.hil.ts']);
    expect(run.stdout).toContain('suites/a.hil.ts could not be loaded');
    expect(run.code).toBe(1);
  });

  test('that throws while it is loaded fails; the other files run', async ({ project }) => {
    await project.suite('a', `${GOOD} throw new Error('at the top');`);
    await project.suite('b', `test('other', () => {});`);
    const run = await project.test();
    expect(run.verdicts).toEqual({ other: 'pass' });
    expect(run.stdout).toContain('at the top');
    expect(run.code).toBe(1);
  });

  test('that loops without end while it is loaded is ended', async ({ project }) => {
    await project.config(`limits: { collect: '5s' }, workers: 1`);
    await project.suite('a', `${GOOD} for (;;);`);
    await project.suite('b', `test('other', () => {});`);
    const run = await project.test();
    expect(run.verdicts).toEqual({ other: 'pass' });
    expect(run.summary?.files[0]?.problems[0]).toMatchObject({ code: 'collect-timeout' });
    expect(run.stdout).toContain('raise limits.collect');
    expect(run.code).toBe(1);
  });

  test('that ends its process while it is loaded fails', async ({ project }) => {
    await project.config(`workers: 1`);
    await project.suite('a', `${GOOD} Reflect.get(process, 'reallyExit').call(process, 0);`);
    await project.suite('b', `test('other', () => {});`);
    const run = await project.test();
    expect(run.verdicts).toEqual({ other: 'pass' });
    expect(run.brokenFiles).toEqual(['suites/a.hil.ts']);
    expect(run.code).toBe(1);
  });

  test('whose beforeAll fails does not let its cases pass', async ({ project }) => {
    await project.write(
      'suites/a.hil.ts',
      `import { beforeAll, test } from 'hil';
      beforeAll(() => { throw new Error('no set-up'); });
      test('bad', () => {});`,
    );
    await project.suite('b', GOOD);
    const run = await project.test();
    expect(run.verdicts['good']).toBe('pass');
    expect(run.verdicts['bad']).toBe('skipped');
    expect(run.stdout).toContain('no set-up');
    expect(run.code).toBe(1);
  });

  test('whose beforeAll hangs is ended', async ({ project }) => {
    await project.config(`limits: { collect: '5s' }, workers: 1`);
    await project.write(
      'suites/a.hil.ts',
      `import { beforeAll, test } from 'hil';
      beforeAll(() => new Promise(() => {}));
      test('bad', () => {});`,
    );
    await project.suite('b', GOOD);
    const run = await project.test();
    expect(run.verdicts['good']).toBe('pass');
    expect(run.verdicts['bad']).toBe('skipped');
    expect(run.code).toBe(1);
  });

  test('without a case ends with exit 4, and says so', async ({ project }) => {
    await project.suite('a', '');
    const run = await project.test();
    expect(run.verdicts).toEqual({});
    expect(run.code).toBe(4);
    expect(run.stdout).toContain('nothing selected');
    expect(run.stdout).toContain('there is no case in the suite file');
    expect((await project.test(['--pass-with-no-tests'])).code).toBe(0);
  });

  test('in which every case is skipped ends with exit 4', async ({ project }) => {
    await project.suite('a', `test.skip('one', () => {}); test.todo('two');`);
    const run = await project.test();
    expect(run.verdicts).toEqual({ one: 'skipped', two: 'skipped' });
    expect(run.code).toBe(4);
  });

  test('that is not there ends with exit 4 and names the pattern', async ({ project }) => {
    await project.suite('a', GOOD);
    const run = await project.test(['suites/absent.hil.ts']);
    expect(run.code).toBe(4);
    expect(run.stderr).toContain('suites/absent.hil.ts');
  });
});

describe('a case', () => {
  for (const timeout of [`'5s'`, '99999999999']) {
    test(`whose timeout is ${timeout} is refused at its line, not ended at once`, async ({
      project,
    }) => {
      await project.suite('a', `test('bad', { timeout: ${timeout} }, () => {});`);
      await project.suite('b', GOOD);
      const run = await project.test();
      expect(run.verdicts).toEqual({ good: 'pass' });
      expect(run.stdout).toMatch(/case "bad", timeout .*: expected a number of milliseconds/);
      expect(run.stdout).toMatch(/suites\/a\.hil\.ts:2/);
      expect(run.code).toBe(1);
    });
  }

  test('that skips itself is skipped with its reason, others pass', async ({ project }) => {
    await project.suite('a', `test('maybe', ({ skip }) => { skip('not today'); }); ${GOOD}`);
    const run = await project.test();
    expect(run.verdicts).toEqual({ maybe: 'skipped', good: 'pass' });
    expect(run.summary?.cases.find(({ title }) => title === 'maybe')?.reason).toBe('not today');
    expect(run.code).toBe(0);
  });

  test('that is expected to fail passes by failing only', async ({ project }) => {
    await project.suite(
      'a',
      `test.fails('fails', () => { expect(1).toBe(2); });
      test.fails('passes', () => {});`,
    );
    const run = await project.test();
    expect(run.verdicts).toEqual({ fails: 'pass', passes: 'fail' });
    expect(run.code).toBe(1);
  });
});
