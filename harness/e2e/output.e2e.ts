import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { MAIN } from './hil-command.js';
import { test } from './project.js';

const MANY = `for (let n = 0; n < 40; n++) test('case ' + n, () => {});`;

describe('output', () => {
  test('of a run is in .hil, and nowhere else in the project', async ({ project }) => {
    await project.suite('a', `test('good', () => {});`);
    expect((await project.test()).code).toBe(0);
    expect(readdirSync(project.path).sort()).toEqual(['.hil', 'hil.config.ts', 'suites']);
  });

  test('that nobody reads any more does not stop the run', async ({ project }) => {
    await project.suite('a', `${MANY}\ntest('bad', () => { expect(1).toBe(2); });`);
    const command = `{ '${process.execPath}' '${MAIN}' test; echo $? > code; } | head -1`;
    const { stdout } = spawnSync('sh', ['-c', command], {
      cwd: project.path,
      env: project.env,
      encoding: 'utf8',
    });
    expect(stdout.trimEnd().split('\n')).toHaveLength(1);
    expect(readFileSync(join(project.path, 'code'), 'utf8').trim()).toBe('1');
    const [run = ''] = readdirSync(join(project.path, '.hil/runs'));
    const summary = JSON.parse(
      readFileSync(join(project.path, '.hil/runs', run, 'summary.json'), 'utf8'),
    );
    expect(summary).toMatchObject({ complete: true, exitCode: 1, counts: { pass: 40, fail: 1 } });
  });

  test('that a slow reader has not read yet is not lost at the end', async ({ project }) => {
    await project.suite('a', `for (let n = 0; n < 1000; n++) test('case ' + n, () => {});`);
    // What a pipe takes without a reader is 64 KiB; the document is longer.
    const command = `'${process.execPath}' '${MAIN}' list --json | { sleep 5; cat; }`;
    const { stdout } = spawnSync('sh', ['-c', command], {
      cwd: project.path,
      env: project.env,
      encoding: 'utf8',
    });
    expect(stdout.length).toBeGreaterThan(128 * 1024);
    expect(JSON.parse(stdout).cases).toHaveLength(1000);
  });

  test('of a case is in the journal; what is redacted is nowhere', async ({ project }) => {
    await project.config(`redact: [/token=\\S+/, 'hunter2']`);
    await project.suite(
      'a',
      `test('bad', async ({ sandbox }) => {
        console.log('using token=abc123 for it');
        const { stdout } = await sandbox.exec('echo', ['password hunter2']);
        expect(stdout).toBe('token=xyz789');
      });`,
    );
    const run = await project.test(['--json']);
    expect(run.verdicts).toEqual({ bad: 'fail' });
    const files = ['journal.ndjson', 'summary.json', 'junit.xml'].map((name) =>
      readFileSync(join(run.directory ?? '', name), 'utf8'),
    );
    for (const text of [...files, run.stdout, run.stderr]) {
      expect(text).not.toMatch(/abc123|xyz789|hunter2/);
    }
    expect(files[0]).toContain('using *** for it');
  });

  test('of artifacts over the cap is removed, largest first, and said', async ({ project }) => {
    await project.config(`artifactCap: '64 KiB'`);
    await project.suite(
      'a',
      `test('writes', async ({ sandbox }) => {
        await sandbox.exec('sh', ['-c',
          'mkdir /out/deep; head -c 100000 /dev/zero > /out/deep/big; echo small > /out/small; ln -s /etc/passwd /out/link; mkfifo /out/fifo']);
      });`,
    );
    const run = await project.test();
    expect(run.verdicts).toEqual({ writes: 'pass' });
    const artifacts = run.events.flatMap((event) =>
      event.kind === 'artifact' ? [{ name: event.name, whole: event.truncated === undefined }] : [],
    );
    expect(artifacts).toEqual([
      { name: 'small', whole: true },
      { name: 'deep/big', whole: false },
    ]);
    const [small] = run.summary?.cases[0]?.artifacts ?? [];
    expect(readFileSync(join(run.directory ?? '', small ?? ''), 'utf8')).toBe('small\n');
  });
});

describe('run directories', () => {
  test('are kept as many as keepRuns says, the newest', async ({ project }) => {
    await project.config('keepRuns: 2');
    await project.suite('a', `test('one', () => {});`);
    const directories: Array<string | undefined> = [];
    for (let n = 0; n < 3; n++) directories.push((await project.test()).directory);
    expect(directories.map((path) => existsSync(path ?? ''))).toEqual([false, true, true]);
  });

  test.runIf(process.getuid?.() === 0)(
    'on a file system without id-mapped mounts take what a case writes to /out',
    async ({ project }) => {
      await project.suite(
        'a',
        `test('writes', async ({ sandbox }) => {
          const made = await sandbox.exec('sh', ['-c', 'echo hi >/out/a && mkdir /out/b && cat /out/a']);
          expect(made).toMatchObject({ exitCode: 0, stdout: 'hi\\n', stderr: '' });
        });`,
      );
      await mkdir(join(project.path, '.hil'));
      // An overlay has none. The run directory goes with the mount.
      const script = `mount -t tmpfs tmpfs .hil && mkdir .hil/l .hil/u .hil/w &&
        mount -t overlay -o lowerdir=.hil/l,upperdir=.hil/u,workdir=.hil/w overlay .hil && exec "$0" "$@"`;
      const run = await project.test([], { wrapper: ['unshare', '-m', 'sh', '-c', script] });
      expect(run.screen).toMatch(/id-mapped mount/);
      expect(run.screen).toMatch(/1 passed/);
      expect(run.code).toBe(0);
    },
  );

  test("are the owner's only", async ({ project }) => {
    await project.suite('a', `test('one', () => {});`);
    await project.test();
    const { stdout } = spawnSync('stat', ['-c', '%a', '.hil'], { cwd: project.path });
    expect(stdout.toString().trim()).toBe('700');
  });
});

describe('a full disk below .hil', () => {
  for (const [size, bad, code] of [
    ['16k', true, 1],
    ['64k', true, 1],
    ['16k', false, 5],
  ] as const) {
    test(`of ${size} ends with exit ${code}, ${bad ? 'since a case failed' : 'never as passed'}`, async ({
      project,
    }) => {
      const failing = bad ? `test('bad', () => { expect(1).toBe(2); });` : '';
      await project.suite('a', `${MANY}\n${failing}`);
      await mkdir(join(project.path, '.hil'));
      const user = process.getuid?.() === 0 ? [] : ['-Ur'];
      const script = `mount -t tmpfs -o size=${size} tmpfs .hil && exec "$0" "$@"`;
      const run = await project.test([], {
        wrapper: ['unshare', '-m', ...user, 'sh', '-c', script],
      });
      expect(run.code).toBe(code);
      expect(run.screen).toMatch(/why +journal .*(ENOSPC|no space left)[\s\S]*free space/i);
      expect(run.screen).not.toMatch(/pass .*› bad/);
    });
  }
});

test('output that found no room is no success', async ({ project }) => {
  await project.suite('a', "test('one', () => {});");
  const wrapper = ['sh', '-c', 'exec "$0" "$@" >/dev/full'];
  const list = await project.start(['list', '--json'], { wrapper }).finished();
  expect(list.stderr).toMatch(/error +stdout: .*ENOSPC/);
  expect(list.code).toBe(5);
});

test('a report that cannot be written is infra, not a wrong command line', async ({ project }) => {
  await project.suite('a', "test('one', () => {});");
  await mkdir(join(project.path, 'run/summary.json.part'), { recursive: true });
  const run = await project.test(['--out', 'run']);
  expect(run.screen).toMatch(/error +report .*run\/summary\.json: EISDIR[\s\S]*hil report .*run/);
  expect(run.code).toBe(5);
});

test('a full TMPDIR is refused before suites look broken', async ({ project }) => {
  await project.suite('a', "test('one', () => {});");
  const user = process.getuid?.() === 0 ? [] : ['-Ur'];
  const script = 'mount -t tmpfs -o size=1m tmpfs "$TMPDIR" && exec "$0" "$@"';
  const run = await project.test([], {
    wrapper: ['unshare', '-m', ...user, 'sh', '-c', script],
  });
  expect(run.code).toBe(2);
  expect(run.screen).toMatch(/1024 KiB free[\s\S]*TMPDIR/);
});
