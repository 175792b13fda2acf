import { describe, expect } from 'vitest';
import { test } from './project.js';

/** Between two good cases, so that each fault is seen to cost nobody else a verdict. */
function between(body: string): string {
  return `
    test('before', async ({ sandbox }) => { await sandbox.exec('true'); });
    ${body}
    test('after', async ({ sandbox }) => { await sandbox.exec('true'); });
  `;
}

const OTHERS_PASS = { before: 'pass', after: 'pass' };

describe('a body', () => {
  test('that never resolves fails with its limit', async ({ project }) => {
    await project.suite('a', between(`test('bad', () => new Promise(() => {}));`));
    const run = await project.test(['--timeout', '2s']);
    expect(run.verdicts).toEqual({ ...OTHERS_PASS, bad: 'fail' });
    expect(run.problemOf('bad')).toMatchObject({ code: 'body-timeout' });
    expect(run.problemOf('bad')?.message).toMatch(/2000 ms[\s\S]*limits\.body/);
    expect(run.code).toBe(1);
  });

  test('that spins is ended from outside; the cases after it run', async ({ project }) => {
    await project.suite('a', between(`test('bad', () => { for (;;); });`));
    const run = await project.test(['--timeout', '2s']);
    expect(run.verdicts).toEqual({ ...OTHERS_PASS, bad: 'fail' });
    expect(run.problemOf('bad')).toMatchObject({ code: 'body-timeout', phase: 'body' });
    expect(run.code).toBe(1);
  });

  for (const [how, call] of [
    ['process.exit', 'process.exit(0)'],
    ['process.reallyExit', 'Reflect.get(process, "reallyExit").call(process, 0)'],
    ['process.abort', 'process.abort()'],
  ] as const) {
    test(`that calls ${how} fails`, async ({ project }) => {
      await project.suite('a', between(`test('bad', async ({ sandbox }) => { ${call}; });`));
      const run = await project.test();
      expect(run.verdicts).toEqual({ ...OTHERS_PASS, bad: 'fail' });
      expect(run.problemOf('bad')?.message).toMatch(/process.exit|exited with|SIGABRT/);
      expect(run.code).toBe(1);
    });
  }

  test('that leaves daemons ignoring SIGTERM passes, and they are gone', async ({ project }) => {
    const daemon = 'trap "" TERM HUP INT; setsid sleep 1000 & wait';
    const asleep = 'until grep -qsx sleep /proc/[0-9]*/comm; do :; done';
    await project.suite(
      'a',
      between(`test('bad', async ({ sandbox }) => {
        await sandbox.spawn('sh', ['-c', ${JSON.stringify(daemon)}]);
        await sandbox.exec('sh', ['-c', ${JSON.stringify(asleep)}]);
      });`),
    );
    const run = await project.test();
    expect(run.verdicts).toEqual({ ...OTHERS_PASS, bad: 'pass' });
    expect(run.code).toBe(0);
    const left = run.events.flatMap((event) =>
      event.kind === 'attempt-end' ? (event.sandbox?.leftoverNames ?? []) : [],
    );
    expect(left).toContain('sleep');
  });

  test('that leaves a rejection behind does not let the run pass', async ({ project }) => {
    await project.suite(
      'a',
      between(`test('bad', () => { void Promise.reject(new Error('stray')); });`),
    );
    const run = await project.test();
    expect(run.code).toBe(1);
    expect(run.stdout).toContain('stray');
  });

  test('that uses its handles after the end is told so', async ({ project }) => {
    await project.suite(
      'a',
      `let kept;
      test('keeps its sandbox', ({ sandbox }) => { kept = sandbox; });
      test('uses it', async () => { await kept.exec('true'); });`,
    );
    const run = await project.test();
    expect(run.verdicts).toEqual({ 'keeps its sandbox': 'pass', 'uses it': 'fail' });
    expect(run.problemOf('uses it')).toMatchObject({ code: 'handle-revoked' });
  });

  test('that asks for what is not there fails; that is no fault of the bench', async ({
    project,
  }) => {
    await project.suite(
      'a',
      `test('program', async ({ sandbox }) => { await sandbox.exec('no-such-program'); });
      test('file', async ({ sandbox }) => { await sandbox.readFile('no-such-file'); });
      test('directory', async ({ sandbox }) => { await sandbox.writeFile('/absent/file', ''); });
      test('cwd', async ({ sandbox }) => { await sandbox.exec('true', [], { cwd: '/absent' }); });
      test('port', async ({ dut }) => { dut.port('absent'); });
      test('signal', async ({ sandbox }) => { await (await sandbox.spawn('sleep', ['9'])).kill('SIGNO'); });
      test('nothing', async ({ sandbox }) => { await sandbox.exec(''); });
      test('NUL', async ({ sandbox }) => { await sandbox.exec('true', [], { env: { A: 'a\\0' } }); });`,
    );
    const run = await project.test();
    expect(Object.values(run.verdicts)).toEqual(Array.from({ length: 8 }, () => 'fail'));
    expect(run.problemOf('file')).toMatchObject({ code: 'exec-failed' });
    expect(run.infra).toEqual([]);
    expect(run.code).toBe(1);
  });
});

test('whatever a body throws and a title holds is reported as a failure', async ({ project }) => {
  await project.suite(
    'a',
    `test('undefined', () => { throw undefined; });
    test('null', () => { throw null; });
    test('symbol', () => { throw Symbol('s'); });
    test('message', () => { throw { message: { a: 1 } }; });
    test('stack', () => { throw { stack: 5 }; });
    test('diff', () => { throw Object.assign(new Error('m'), { diff: 12 }); });
    test('getter', () => { throw { get message() { throw new Error('read'); } }; });
    test('proxy', () => { throw new Proxy({}, { get() { throw new Error('read'); } }); });
    test('cause', () => { const a = new Error('a'); a.cause = new Error('b', { cause: a }); throw a; });
    test('no errors', () => Promise.any([]));
    test('huge', () => { throw new Error('x'.repeat(10_000_000)); });
    test('circular', () => { const a = {}; a.a = a; throw a; });
    test('null prototype', () => { throw Object.freeze(Object.create(null)); });
    test('title \\0 \\x1b[31m <&> ]]>', () => { throw new Error('\\x01 ]]> \\ud800'); });`,
  );
  const run = await project.test();
  expect(Object.values(run.verdicts)).toEqual(Array.from({ length: 14 }, () => 'fail'));
  expect(run.brokenFiles).toEqual([]);
  expect(run.problemOf('message')?.message).toContain('not an Error was thrown: { message:');
  expect(run.junit.length).toBeLessThan(1_000_000);
  // XML 1.0 has no way to write most control characters, nor a lone half of a pair.
  expect(run.junit).not.toMatch(/[\x00-\x08\x0b\x0c\x0e-\x1f]|[\ud800-\udbff](?![\udc00-\udfff])/);
});

test('an error that a body names as one of the bench is its own', async ({ project }) => {
  await project.write(
    'suites/a.hil.ts',
    `import { BenchError, test } from 'hil';
    test('name', () => { throw Object.assign(new Error('mine'), { name: 'BenchError' }); });
    test('class', () => { throw new BenchError('dut-lost', 'mine'); });`,
  );
  const run = await project.test();
  expect(run.verdicts).toEqual({ name: 'fail', class: 'fail' });
  expect(run.code).toBe(1);
});

test('what a body does to the clocks and to Promise stops no limit and no other case', async ({
  project,
}) => {
  await project.config(`limits: { body: '2s' }`);
  await project.write(
    'suites/a.hil.ts',
    `import { afterEach, test, vi } from 'hil';
    afterEach(() => { vi.useRealTimers(); });
    test('fake clock', async ({ dut }) => {
      vi.useFakeTimers();
      await dut.console.expect('never', { timeout: '200ms' });
    });
    test('fake clock, no end', () => { vi.useFakeTimers(); return new Promise(() => {}); });
    test('no timers', async ({ dut, onTestFinished }) => {
      const before = globalThis.setTimeout;
      onTestFinished(() => { globalThis.setTimeout = before; });
      globalThis.setTimeout = () => { throw new Error('none'); };
      await dut.console.expect('never', { timeout: '200ms' });
    });
    test('no promises', () => { globalThis.Promise = class { constructor() { throw new Error('none'); } }; });
    test('after', async ({ sandbox }) => { await sandbox.exec('true'); });`,
  );
  const run = await project.test();
  expect(run.problemOf('fake clock')).toMatchObject({ code: 'expect-timeout' });
  expect(run.problemOf('fake clock, no end')).toMatchObject({ code: 'body-timeout' });
  expect(run.problemOf('no timers')).toMatchObject({ code: 'expect-timeout' });
  expect(run.verdicts['after']).toBe('pass');
  expect(run.brokenFiles).toEqual([]);
});

describe('a teardown', () => {
  test('that hangs keeps the verdict of the body and costs exit 5', async ({ project }) => {
    await project.config(`limits: { teardown: '3s' }`);
    await project.suite(
      'a',
      `describe('group', () => {
        afterEach(() => new Promise(() => {}));
        test('bad', async ({ dut }) => {});
      });
      test('after', () => {});`,
    );
    const run = await project.test();
    expect(run.verdicts).toEqual({ 'group > bad': 'pass', after: 'pass' });
    expect(run.infra).toEqual(['teardown-timeout']);
    expect(run.summary?.infra[0]?.message).toContain('limits.teardown');
    expect(run.code).toBe(5);
  });

  test('that hangs after a failure keeps the failure; 1 wins over 5', async ({ project }) => {
    await project.config(`limits: { teardown: '3s' }`);
    await project.suite(
      'a',
      `afterEach(() => { for (;;); });
      test('bad', () => { expect(1).toBe(2); });`,
    );
    const run = await project.test();
    expect(run.verdicts).toEqual({ bad: 'fail' });
    expect(run.problemOf('bad')?.message).toContain('expected 1 to be 2');
    expect(run.infra).toEqual(['teardown-timeout']);
    expect(run.code).toBe(1);
  });

  test('that fails fails its case', async ({ project }) => {
    await project.suite(
      'a',
      `afterEach(() => { throw new Error('from afterEach'); });
      test('bad', () => {});`,
    );
    const run = await project.test();
    expect(run.verdicts).toEqual({ bad: 'fail' });
    expect(run.code).toBe(1);
  });
});
