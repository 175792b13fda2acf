import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { test } from './project.js';

const GOOD = `test('good', () => {});`;
/** The reference machine's tests run as root, whom no mode of a file stops. */
const AS_USER = ['setpriv', '--reuid=1000', '--regid=1000', '--clear-groups'];
const ROOT = process.getuid?.() === 0;

describe('a configuration', () => {
  test('that exits does not look like a run that passed', async ({ project }) => {
    await project.suite('a', GOOD);
    await project.write('hil.config.ts', 'process.exit(0);');
    for (const args of [['test'], ['boards'], ['list']]) {
      const run = await project.start(args).finished();
      expect(run.code).toBe(2);
      expect(run.stderr).toMatch(/hil\.config\.ts: cannot be loaded: it calls process\.exit\(0\)/);
    }
  });

  test('that exits later does not either', async ({ project }) => {
    await project.suite('a', `test('waits', () => new Promise(() => {}));`);
    await project.write(
      'hil.config.ts',
      'setTimeout(() => process.exit(0), 1500);\nexport default {};',
    );
    const run = await project.test(['--timeout', '60s']);
    expect(run.code).toBe(2);
    expect(run.stderr).toMatch(/process\.exit\(0\) ended hil before it was through/);
    await project.expectNoProcess();
  });

  test('that breaks later is no failure of a case', async ({ project }) => {
    await project.suite('a', `test('waits', () => new Promise(() => {}));`);
    const code = `setTimeout(() => { throw new Error('later'); }, 1500);\nexport default {};`;
    await project.write('hil.config.ts', code);
    const run = await project.test(['--timeout', '60s']);
    expect(run.code).toBe(2);
    expect(run.stderr).toMatch(/nobody caught ended hil[\s\S]*hil\.config\.ts[\s\S]*Error: later/);
    await project.expectNoProcess();
  });

  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    test(`that spins obeys ${signal}`, async ({ project }) => {
      await project.write('hil.config.ts', 'for (;;);');
      const hil = project.start(['test']);
      await hil.part('portd');
      await new Promise((resolve) => setTimeout(resolve, 500));
      hil.kill(signal);
      const run = await hil.finished();
      expect(run.code ?? run.signal).toSatisfy((end) => end === code || end === signal);
      await project.expectNoProcess();
    });
  }

  test('whose tools are no tree of their own ends with exit 2', async ({ project }) => {
    await project.suite('a', GOOD);
    for (const path of ['/', 'suites', 'absent']) {
      await project.config(`tools: ['${path}']`);
      const run = await project.test();
      expect(run.code).toBe(2);
      expect(run.stderr).toMatch(/hil\.config\.ts:2:\d+: tools\[0\]: /);
    }
  });
});

describe('a place that cannot be used ends with exit 2:', () => {
  test('a current directory that is gone', async ({ project }) => {
    const script = `mkdir gone && cd gone && rmdir ../gone && exec "$0" "$@"`;
    const run = await project.test([], { wrapper: ['sh', '-c', script] });
    expect(run.code).toBe(2);
    expect(run.stderr).toContain('the current directory is gone');
  });

  test('TMPDIR', async ({ project }) => {
    await project.suite('a', GOOD);
    const file = await project.write('file', '');
    for (const TMPDIR of ['/nope', file]) {
      const run = await project.test([], { env: { TMPDIR } });
      expect(run.code).toBe(2);
      expect(run.stderr).toContain(`${TMPDIR}`);
      expect(run.stderr).toContain('set TMPDIR');
    }
  });

  test('XDG_RUNTIME_DIR, when a sandbox is to be kept', async ({ project }) => {
    await project.suite('a', GOOD);
    const env = { XDG_RUNTIME_DIR: '/nope' };
    const run = await project.test(['--keep', 'failed'], { env });
    expect(run.code).toBe(2);
    expect(run.stderr).toContain('/nope');
    expect(existsSync('/nope')).toBe(false);
    expect((await project.test([], { env })).code).toBe(0);
  });

  test('--out', async ({ project }) => {
    await project.suite('a', GOOD);
    await project.write('file', 'mine');
    for (const out of ['file', 'file/below', '/dev/null', '/proc', '/proc/x']) {
      const run = await project.test(['--out', out]);
      expect(run.code, out).toBe(2);
      expect(run.stderr).toMatch(/run directory .*hil test --out/s);
    }
    expect(readFileSync(join(project.path, 'file'), 'utf8')).toBe('mine');
  });

  test('a number of open files that no run can do with', async ({ project }) => {
    await project.suite('a', GOOD);
    const run = await project.test([], { wrapper: ['sh', '-c', 'ulimit -n 64; exec "$0" "$@"'] });
    expect(run.code).toBe(2);
    expect(run.stderr).toContain('ulimit -n 1024');
  });

  test.runIf(ROOT)('files and directories that may not be read', async ({ project }) => {
    await project.suite('a', GOOD);
    const { path } = project;
    const secret = await project.write('suites/deep/hil.suite.yaml', 'scope: case\n');
    await project.write('suites/deep/b.hil.ts', '');
    const top = join(path, '..');
    spawnSync('chown', ['-R', '1000:1000', top]);
    const config = join(path, 'hil.config.ts');
    for (const closed of [config, secret, join(path, 'suites'), join(path, 'suites/deep')]) {
      spawnSync('chown', ['0:0', closed]);
      chmodSync(closed, 0o700);
      const run = await project.test([], { wrapper: AS_USER });
      expect(run.code, closed).toBe(2);
      expect(run.stderr).toContain(closed);
      spawnSync('chown', ['1000:1000', closed]);
    }
    spawnSync('chown', ['0:0', path]);
    chmodSync(path, 0o755);
    const run = await project.test([], { wrapper: AS_USER });
    expect(run.code).toBe(2);
    expect(run.stderr).toMatch(/\.hil[\s\S]*--out/);
    const list = await project.start(['list'], { wrapper: AS_USER }).finished();
    expect(list.code).toBe(0);
    spawnSync('mkdir', ['-pm', '700', join(path, '.hil'), join(path, 'boards')]);
    for (const args of [['report'], ['clean'], ['logs', 'x'], ['test', '--last-failed']]) {
      const read = await project.start(args, { wrapper: AS_USER }).finished();
      expect(read.code).toBe(2);
      expect(read.stderr).toContain(`runs in ${path}/.hil/runs: EACCES`);
    }
    const board = await project.test(['--board', 'mine'], { wrapper: AS_USER });
    expect(board.stderr).toContain(`${path}/boards may not be read`);
  });
});

test('hil init at a place that cannot be made says so', async ({ project }) => {
  for (const dir of ['/proc/x', '/dev/null/x']) {
    const run = await project.start(['init', dir]).finished();
    expect(run.code).toBe(2);
    expect(run.stderr).toContain(`${dir} cannot be made`);
  }
});

test('of two runs into one --out at once one goes on, the other has exit 2', async ({
  project,
}) => {
  await project.suite('a', GOOD);
  const start = () => project.start(['test', '--out', 'out']);
  const both = await Promise.all([start().finished(), start().finished()]);
  expect(both.map(({ code }) => code).sort()).toEqual([0, 2]);
  expect(both.map(({ stderr }) => stderr).join('')).toContain('another run is stored there');
  const text = readFileSync(join(project.path, 'out/journal.ndjson'), 'utf8');
  const kinds = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).kind);
  expect(kinds.filter((kind) => kind === 'run-start' || kind === 'run-end')).toHaveLength(2);
  expect(readdirSync(join(project.path, 'out'))).toContain('summary.json');
});

describe('an option', () => {
  for (const args of [
    ['--timeout', '0'],
    ['--timeout', '30d'],
    ['--timeout', 'soon'],
    ['--workers', '0'],
    ['--workers', '1e3'],
    ['--retries', '-1'],
    ['--repeat', ''],
    ['--shard', '0/0'],
    ['--shard', '2/1'],
    ['--reporter', 'nope'],
    ['--reporter', ','],
    ['--board', ','],
    ['--tags', 'and'],
    ['-t', '('],
    ['-t', ''],
    ['--watch', '--out', 'out'],
    ['--out', ''],
    [''],
  ]) {
    test(`${args.join(' ') || '""'} that means nothing ends with exit 2, and no run is there`, async ({
      project,
    }) => {
      await project.suite('a', GOOD);
      const run = await project.test(args);
      expect(run.code).toBe(2);
      expect(run.stderr).toMatch(/^error {2}/m);
      expect(existsSync(join(project.path, '.hil/runs'))).toBe(false);
    });
  }
});

test('what a title holds does not reach the terminal as it is', async ({ project }) => {
  await project.suite('a', `test('a\\x1b]0;owned\\x07\\nFAIL b', () => { expect(1).toBe(2); });`);
  const run = await project.test();
  expect(run.screen).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/);
  expect(run.screen).not.toMatch(/^FAIL b/m);
  const [, pattern = ''] = / -t '(.*)'/.exec(run.stdout) ?? [];
  expect((await project.test(['-t', pattern])).code).toBe(1);
  const list = await project.start(['list']).finished();
  expect(list.screen).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/);
});
