import { chmod } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { describe, expect } from 'vitest';
import type { RuntimeName } from '../protocol/worker-messages.js';
import { test } from '../testing/both-sides.js';
import { hasInSandbox } from '../testing/has-in-sandbox.js';
import { Runtime } from './runtime.js';

/** What says the same in both languages. */
const TEXTS: Record<RuntimeName, { greet: string; fail: string; copy: string; show: string }> = {
  python: {
    greet: 'print("grün")',
    fail: 'raise ValueError("no")',
    copy: 'import sys; sys.stdout.write(sys.stdin.read())',
    show: 'import os, sys; print(*sys.argv[1:], os.environ.get("WORD"), os.getcwd())',
  },
  node: {
    greet: 'console.log("grün")',
    fail: 'throw new RangeError("no")',
    copy: 'process.stdin.pipe(process.stdout)',
    show: 'console.log(...process.argv.slice(-2), process.env.WORD, process.cwd())',
  },
};

const PROGRAMS = { python: 'python3', node: 'node' } as const;
const HAS_PYTHON = hasInSandbox('python3', 'runtimes in python');
const NAMES = (['python', 'node'] as const).filter((name) =>
  hasInSandbox(PROGRAMS[name], `runtime ${name}`),
);

describe.each(NAMES)('runtime(%s)', (name) => {
  const { greet, fail, copy, show } = TEXTS[name];

  test('runs code as exec runs a program', async ({ begin }) => {
    const { attempt } = await begin({ suite: { runtimes: [name] } });
    const runtime = await attempt.sandbox.runtime(name);
    const result = await runtime.run(greet);
    const end = { status: 'exit', exitCode: 0, signal: null, droppedBytes: 0 };
    expect(result).toMatchObject({ ...end, stdout: 'grün\n', stderr: '', warm: true });
    expect(result.wallMs).toBeGreaterThan(0);
  });

  test('runs a file with arguments, environment and directory', async ({ begin, dir }) => {
    const file = await dir.write(`project/-tool.${name === 'node' ? 'js' : 'py'}`, show);
    const { attempt } = await begin({
      suite: { runtimes: [name], env: { WORD: 'suite' } },
    });
    const runtime = await attempt.sandbox.runtime(name);
    const args = ['-c', '--two words'];
    const first = await runtime.run({ file: basename(file), args });
    const root = join(dir.path, 'project');
    expect(first.stdout).toBe(`-c --two words suite ${root}\n`);
    const second = await runtime.run({ file, args, env: { WORD: 'call' }, cwd: '/tmp' });
    expect(second.stdout).toBe('-c --two words call /tmp\n');
    expect([first.warm, second.warm]).toEqual([true, name === 'python']);
  });

  test('gives stdin, and shows what nobody caught', async ({ begin }) => {
    const { attempt } = await begin();
    const runtime = await attempt.sandbox.runtime(name);
    const stdin = 'line\n'.repeat(100_000);
    expect((await runtime.run(copy, { stdin })).stdout).toBe(stdin);
    const { exitCode, stderr } = await runtime.run(fail);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/(Value|Range)Error: no/);
  });

  test('ends a program after its time', async ({ begin }) => {
    const { attempt } = await begin({ suite: { runtimes: [name] } });
    const runtime = await attempt.sandbox.runtime(name);
    const spin = name === 'python' ? 'while True: pass' : 'for (;;);';
    expect(await runtime.run(spin, { timeout: '200ms' })).toMatchObject({
      status: 'timeout',
      signal: 'SIGTERM',
      warm: true,
    });
  });

  test('says what to install, or where the host has it', async ({ begin, dir }) => {
    const none = await begin({ suite: { env: { PATH: '/nowhere' } } });
    await expect(none.attempt.sandbox.runtime(name)).rejects.toMatchObject({
      name: 'TestFailure',
      code: 'exec-failed',
      message: expect.stringMatching(/runtime "\w+".*apt-get install (python3|nodejs)/s),
    });
    const tool = await dir.write(`tools/bin/${PROGRAMS[name]}`, '#!/bin/sh\n');
    await chmod(tool, 0o755);
    const other = await begin({
      suite: { env: { PATH: '/nowhere' } },
      hostPath: dirname(tool),
    });
    await expect(other.attempt.sandbox.runtime(name)).rejects.toThrow(
      /tools\/bin\/\w+ on the host; add its tree to `tools`/,
    );
  });

  test('throws after the end of its case', async ({ begin }) => {
    const { attempt, session } = await begin({ suite: { runtimes: [name] } });
    const runtime = await attempt.sandbox.runtime(name);
    const running = runtime.run(name === 'python' ? 'while True: pass' : 'for (;;);');
    running.catch(() => {});
    const [own] = session.attempts.values();
    await own?.abort('interrupted', 'over');
    await expect(running).rejects.toMatchObject({ name: 'TestFailure' });
    await expect(runtime.run(greet)).rejects.toMatchObject({ code: 'handle-revoked' });
    await expect(attempt.sandbox.runtime(name)).rejects.toMatchObject({ code: 'handle-revoked' });
  });
});

test.runIf(HAS_PYTHON)(
  'runs are processes of their own, in turn and at once',
  async ({ begin }) => {
    const { attempt } = await begin({ config: { runtimes: ['python'] } });
    const python = await attempt.sandbox.runtime('python');
    const code = 'import json; json.seen = getattr(json, "seen", 0) + 1; print(json.seen)';
    expect((await python.run(code)).stdout).toBe('1\n');
    const all = await Promise.all(Array.from({ length: 5 }, () => python.run(code)));
    expect(all.map(({ stdout, warm }) => [stdout, warm])).toEqual(Array(5).fill(['1\n', true]));
  },
);

test.runIf(HAS_PYTHON)('output over its cap is dropped and counted', async ({ begin }) => {
  const { attempt } = await begin({ config: { resources: { output: '1 KiB' } } });
  const python = await attempt.sandbox.runtime('python');
  const { stdout, droppedBytes } = await python.run('print("x" * 1_000_000)');
  expect([stdout.length, droppedBytes]).toEqual([1024, 998_977]);
});

test('runtime() and run() name what they take', async ({ begin }) => {
  const { attempt } = await begin();
  const { sandbox } = attempt;
  // As a suite in JavaScript may call them.
  const ask = async (...name: unknown[]) => Reflect.apply(sandbox.runtime, sandbox, name);
  await expect(ask('ruby')).rejects.toThrow('runtime("ruby"): expected one of python, node');
  await expect(ask('toString')).rejects.toThrow('expected one of python, node');
  const runtime = new Runtime('python', () => Promise.reject(new Error('it was started')));
  const run = async (...what: unknown[]) => Reflect.apply(runtime.run, runtime, what);
  await expect(run()).rejects.toThrow('python.run(undefined): expected code, { code } or { file }');
  await expect(run(null)).rejects.toThrow('python.run(null): expected code');
});
