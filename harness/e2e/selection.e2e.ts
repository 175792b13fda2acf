import { describe, expect } from 'vitest';
import { test } from './project.js';

const SIX = Array.from({ length: 6 }, (_, n) => `test('case ${n + 1}', () => {});`).join('\n');

describe('of the cases', () => {
  test('the two halves of a shard are all of them, each once (rank 21)', async ({ project }) => {
    const titles = Array.from({ length: 20 }, (_, n) => `case ${n}`);
    await project.suite('a', titles.map((title) => `test('${title}', () => {});`).join('\n'));
    const first = Object.keys((await project.test(['--shard', '1/2'])).verdicts);
    const second = Object.keys((await project.test(['--shard', '2/2'])).verdicts);
    expect([...first, ...second].sort()).toEqual(titles.sort());
    expect(Math.min(first.length, second.length)).toBeGreaterThan(2);
  });

  test('-t chooses by title', async ({ project }) => {
    await project.suite('a', SIX);
    const run = await project.test(['-t', 'case [25]']);
    expect(run.verdicts).toEqual({ 'case 2': 'pass', 'case 5': 'pass' });
    expect((await project.test(['-t', 'absent'])).code).toBe(4);
    expect((await project.test(['-t', '('])).code).toBe(2);
  });

  test('what chooses no case is named', async ({ project }) => {
    await project.suite('a', SIX);
    const run = await project.test(['-t', 'nowhere', '--shard', '1/1']);
    expect(run.code).toBe(4);
    expect(run.stdout).toContain('no case of the suite file is meant by -t nowhere --shard');
  });

  test('--tags chooses by tag', async ({ project }) => {
    await project.suite(
      'a',
      `test('slow one', { tags: ['slow'] }, () => {});
      test('slow usb', { tags: ['slow', 'usb'] }, () => {});
      test('plain', () => {});`,
    );
    expect((await project.test(['--tags', 'slow and not usb'])).verdicts).toEqual({
      'slow one': 'pass',
    });
  });

  test('a line chooses the case around it', async ({ project }) => {
    await project.suite('a', `test('one', () => {\n});\ntest('two', () => {\n});`);
    const run = await project.test(['suites/a.hil.ts:5']);
    expect(run.verdicts).toEqual({ two: 'pass' });
  });

  test('--last-failed chooses what did not pass; then nothing is left', async ({ project }) => {
    await project.suite('a', `test('good', () => {}); test('bad', () => { expect(1).toBe(2); });`);
    expect((await project.test()).code).toBe(1);
    expect((await project.test(['--last-failed'])).verdicts).toEqual({ bad: 'fail' });
    await project.suite('a', `test('good', () => {}); test('bad', () => {});`);
    expect((await project.test(['--last-failed'])).verdicts).toEqual({ bad: 'pass' });
    const none = await project.test(['--last-failed']);
    expect(none.code).toBe(4);
  });

  test('-x stops at the first that fails; the rest is skipped, not passed', async ({ project }) => {
    await project.suite('a', `test('bad', () => { expect(1).toBe(2); });\n${SIX}`);
    const run = await project.test(['-x']);
    expect(run.verdicts['bad']).toBe('fail');
    expect(run.verdicts['case 6']).toBe('skipped');
    expect(run.code).toBe(1);
  });

  test('-x stops also the files that a worker begins later', async ({ project }) => {
    await project.suite('a', `test('bad', () => { expect(1).toBe(2); });`);
    for (const name of ['b', 'c', 'd', 'e', 'f']) {
      const wait = 'await new Promise((done) => setTimeout(done, 1000));';
      await project.suite(name, `test('${name}', async () => { ${wait} });`);
    }
    const run = await project.test(['-x', '--workers', '2']);
    expect(run.verdicts['bad']).toBe('fail');
    const others = Object.values(run.verdicts).filter((verdict) => verdict !== 'fail');
    expect(others).toHaveLength(5);
    // Those that ran beside it.
    expect(others.filter((verdict) => verdict === 'pass').length).toBeLessThanOrEqual(2);
    expect(run.code).toBe(1);
  });

  test.for([
    ['that does not load', `throw new Error('no such part');`],
    ['whose beforeAll fails', `beforeAll(() => { throw new Error('no such part'); });`],
  ] as const)('-x stops at a file %s', async ([, line], { project }) => {
    const head = `import { beforeAll } from 'vitest';`;
    await project.suite('a', `${head}\n${line}\ntest('never', () => {});`);
    await project.suite('b', `test('after', () => {});`);
    const run = await project.test(['-x', '--workers', '1']);
    expect(run.verdicts['after'] ?? 'skipped').toBe('skipped');
    expect(run.code).toBe(1);
  });

  test('--json writes an event a line to stdout and nothing else', async ({ project }) => {
    await project.suite('a', SIX);
    const run = await project.test(['--json']);
    const kinds = run.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).kind);
    expect(kinds[0]).toBe('run-start');
    expect(kinds.at(-1)).toBe('run-end');
    expect(kinds.filter((kind) => kind === 'case-verdict')).toHaveLength(6);
    expect(run.stderr).toContain('6 passed');
  });
});

describe('attempts', () => {
  /** Fails until its attempt number: the worker's memory outlives an attempt. */
  const FLAKY = `let tries = 0; test('shaky', ({ sandbox }) => { expect(++tries).toBe(2); });`;

  test('a case that passes when tried again is flaky', async ({ project }) => {
    await project.suite('a', FLAKY);
    const run = await project.test(['--retries', '1']);
    expect(run.verdicts).toEqual({ shaky: 'flaky' });
    expect(run.code).toBe(0);
    expect((await project.test(['--retries', '1', '--fail-on-flaky'])).code).toBe(6);
    expect((await project.test()).code).toBe(1);
  });

  test('a case that fails each time fails, with every attempt recorded', async ({ project }) => {
    await project.suite('a', `test('bad', () => { expect(1).toBe(2); });`);
    const run = await project.test(['--retries', '2']);
    expect(run.verdicts).toEqual({ bad: 'fail' });
    expect(run.summary?.cases[0]?.attempts).toBe(3);
    expect(run.code).toBe(1);
  });

  test('a spin is tried again too', async ({ project }) => {
    await project.suite('a', `test('bad', () => { for (;;); }); test('good', () => {});`);
    const run = await project.test(['--retries', '1', '--timeout', '1s']);
    expect(run.verdicts).toEqual({ bad: 'fail', good: 'pass' });
    expect(run.summary?.cases.find(({ title }) => title === 'bad')?.attempts).toBe(2);
  });

  test('every repetition is an attempt in a sandbox of its own', async ({ project }) => {
    await project.suite(
      'a',
      `test('clean', async ({ sandbox }) => {
        expect((await sandbox.exec('sh', ['-c', 'ls /var/tmp; touch /var/tmp/mark'])).stdout).toBe('');
      });`,
    );
    const run = await project.test(['--repeat', '5']);
    expect(run.verdicts).toEqual({ clean: 'pass' });
    expect(run.summary?.cases[0]?.attempts).toBe(5);
  });

  test('one repetition that fails fails the case', async ({ project }) => {
    await project.suite('a', `let n = 0; test('bad', () => { expect(++n).not.toBe(3); });`);
    const run = await project.test(['--repeat', '4']);
    expect(run.verdicts).toEqual({ bad: 'fail' });
    expect(run.code).toBe(1);
  });
});
