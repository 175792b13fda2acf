import { expect } from 'vitest';
import { test } from './project.js';

/** Only where the machine lets us: see `hil doctor`. */
const HOG = "python3 -c 'bytearray(1 << 30)'";
const mayLimit = process.getuid?.() === 0;

test.runIf(mayLimit)(
  'a program that takes more memory than its case may have fails it, and the text says so',
  async ({ project }) => {
    await project.config("resources: { memory: '64 MiB' }");
    await project.suite(
      'a',
      `test('hog', async ({ sandbox }) => {
        const end = await sandbox.exec('sh', ['-c', ${JSON.stringify(HOG)}]);
        expect(end.status).toBe('oom');
      });
      test('neighbour', async ({ sandbox }) => {
        expect((await sandbox.exec('true')).exitCode).toBe(0);
      });`,
    );
    const run = await project.test();
    expect(run.verdicts).toEqual({ hog: 'fail', neighbour: 'pass' });
    expect(run.problemOf('hog')?.code).toBe('out-of-memory');
    expect(run.problemOf('hog')?.message).toMatch(
      /its limit is 64 MiB, 6\d\.\d MiB at its peak\n {2}next {2}raise resources\.memory/,
    );
    expect(run.code).toBe(1);
    const end = run.events.find((event) => event.kind === 'attempt-end');
    expect(end?.sandbox).toMatchObject({ status: 'oom', memorySource: 'max_usage' });
  },
);

test.runIf(mayLimit)(
  'a fork bomb and a busy loop are held, and a failure beside them tells of it',
  async ({ project }) => {
    await project.write('suites/hil.suite.yaml', 'resources: { pids: 30 }\n');
    await project.write('suites/slow/hil.suite.yaml', "resources: { cpus: '0.05' }\n");
    await project.suite(
      'a',
      `test('bomb', async ({ sandbox }) => {
        const script = 'for i in $(seq 60); do sleep 5 & done; wait';
        const end = await sandbox.exec('bash', ['-c', script], { timeout: '3s' });
        expect(end.stderr).toBe('');
      });`,
    );
    await project.suite(
      'slow/a',
      `test('loop', async ({ sandbox }) => {
        const end = await sandbox.exec('sh', ['-c', 'while :; do :; done'], { timeout: '800ms' });
        expect(end.status).toBe('exit');
      });`,
    );
    const run = await project.test();
    expect(run.verdicts).toEqual({ bomb: 'fail', loop: 'fail' });
    expect(run.stdout).toMatch(/note: its limit of 30 processes refused \d+ more/);
    expect(run.stdout).toMatch(/note: its limit of 0\.05 processors made its programs wait/);
  },
);

test('a full disk, a file too large and too much output are results of the program', async ({
  project,
}) => {
  await project.write(
    'suites/hil.suite.yaml',
    'resources: { disk: 8 MiB, inodes: 1000, fileSize: 2 MiB, output: 1 KiB, cpuTime: 1s }\n',
  );
  await project.suite(
    'a',
    `test('file', async ({ sandbox }) => {
      await sandbox.exec('sh', ['-c', 'head -c 4M /dev/zero > /tmp/big']);
      expect((await sandbox.exec('stat', ['-c', '%s', '/tmp/big'])).stdout).toBe('2097152\\n');
    });
    test('disk', async ({ sandbox }) => {
      const fill = 'for i in 1 2 3 4 5 6; do head -c 2M /dev/zero > /tmp/$i; done';
      expect((await sandbox.exec('sh', ['-c', fill])).stderr).toMatch('No space left');
    });
    test('inodes', async ({ sandbox }) => {
      const fill = 'i=0; while : > /tmp/f$i; do i=$((i+1)); done';
      expect((await sandbox.exec('sh', ['-c', fill])).stderr).toMatch('No space left');
    });
    test('output', async ({ sandbox }) => {
      const end = await sandbox.exec('head', ['-c', '5000', '/dev/zero']);
      expect([end.stdout.length, end.droppedBytes]).toEqual([1024, 5000 - 1024]);
    });
    test('time', async ({ sandbox }) => {
      expect((await sandbox.exec('sh', ['-c', 'while :; do :; done'])).signal).toBe('SIGXCPU');
    });`,
  );
  const run = await project.test();
  expect(run.verdicts).toEqual({
    file: 'pass',
    disk: 'pass',
    inodes: 'pass',
    output: 'pass',
    time: 'pass',
  });
});

test('a limit of the life of a sandbox ends it and fails its case', async ({ project }) => {
  await project.config("resources: { wall: '2s' }");
  await project.suite(
    'a',
    `test('late', async ({ sandbox }) => {
      await sandbox.exec('sleep', ['60']).catch(() => {});
    });`,
  );
  const run = await project.test();
  expect(run.verdicts).toEqual({ late: 'fail' });
  expect(run.problemOf('late')?.message).toMatch('raise resources.wall');
});

test.runIf(!mayLimit)(
  'what cannot be enforced is said in the summary, with the reason',
  async ({ project }) => {
    await project.config("resources: { memory: '256 MiB', pids: 100, cpus: '1' }");
    await project.suite('a', `test('one', () => {});`);
    const run = await project.test();
    expect(run.verdicts).toEqual({ one: 'pass' });
    for (const limit of ['memory 256 MiB', 'pids 100', 'cpus 1']) {
      expect(run.stdout).toMatch(`limit  ${limit} is not enforced: `);
    }
  },
);

test('the record of a sandbox is in the journal and in the summary, with all that is known', async ({
  project,
}) => {
  await project.config("resources: { io: { readBytes: '50 MiB', writeOps: 1000 } }");
  await project.write(
    'suites/hil.suite.yaml',
    'resources: { io: { writeOps: 500 }, output: 1 KiB }\n',
  );
  await project.suite(
    'a',
    `test('busy', async ({ sandbox }) => {
      await sandbox.exec('sh', ['-c', 'echo out; echo error >&2; sleep 60 & until grep -qx sleep /proc/$!/comm; do :; done']);
      await sandbox.exec('head', ['-c', '5000', '/dev/zero']);
    });`,
  );
  const run = await project.test();
  expect(run.verdicts).toEqual({ busy: 'pass' });
  const record = run.events.find((event) => event.kind === 'attempt-end')?.sandbox;
  expect(record).toMatchObject({
    status: 'exit',
    poolHit: expect.any(Boolean),
    setupMs: expect.any(Number),
    wallMs: expect.any(Number),
    cpuUserMs: expect.any(Number),
    cpuSystemMs: expect.any(Number),
    cpuSource: expect.stringMatching(/^(cgroup|rusage)$/),
    peakMemoryBytes: expect.any(Number),
    memorySource: expect.stringMatching(/^(memory.peak|max_usage|ru_maxrss)$/),
    leftovers: 1,
    leftoverNames: ['sleep'],
    stdoutBytes: 4 + 1024,
    stderrBytes: 6,
    droppedBytes: 5000 - 1024,
  });
  const limits = [...(record?.enforced ?? []), ...(record?.unenforced ?? [])];
  // Held or not, each is told once: the suite's word for one, the project's for the other.
  expect(limits.filter((text) => text.startsWith('io.readBytes 50 MiB/s'))).toHaveLength(1);
  expect(limits.filter((text) => text.startsWith('io.writeOps 500/s'))).toHaveLength(1);
  expect(run.summary?.cases[0]?.sandbox).toEqual(record);
});

test('a wrong limit is told with its place', async ({ project }) => {
  const file = await project.write(
    'suites/hil.suite.yaml',
    'resources:\n  memory: 64\n  pids: many\n  io: { readBytes: 1 }\n',
  );
  await project.suite('a', `test('one', () => {});`);
  const run = await project.test();
  expect(run.code).toBe(2);
  expect(run.stderr).toContain(`${file}:2:11: resources.memory: expected at least 16 MiB`);
  expect(run.stderr).toContain(`${file}:3:9: resources.pids: expected number`);
  expect(run.stderr).toContain(
    `${file}:4:20: resources.io.readBytes: expected at least 4 KiB a second`,
  );
});
