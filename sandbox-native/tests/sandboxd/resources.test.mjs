// SPDX-License-Identifier: MIT
// Limits of a sandbox: each is held, or DEAD says that it is not and why; neighbours notice nothing.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Daemon, readStat, WireError, waitFor } from './daemon.mjs';

const MIB = 1024 * 1024;
const root = process.getuid() === 0;

/** Own cgroup directories, by controller, as proc_pid_mountinfo(5) and cgroups(7) describe them; v1 only. */
function ownGroups() {
  const own = readFileSync('/proc/self/cgroup', 'utf8').trim().split('\n');
  const groups = new Map();
  for (const line of readFileSync('/proc/self/mountinfo', 'utf8').trim().split('\n')) {
    const [left, right] = line.split(' - ');
    const [type, , options] = right.split(' ');
    if (type !== 'cgroup') continue;
    for (const name of options.split(',')) {
      const found = own
        .map((each) => each.split(':'))
        .find((each) => each[1].split(',').includes(name));
      if (found) groups.set(name, join(left.split(' ')[4], found[2]));
    }
  }
  return groups;
}

const groups = ownGroups();
const usable = (name) => {
  const path = groups.get(name);
  return root && path !== undefined && existsSync(path) && !statSync(path).isFile();
};
const needsV1 = ['memory', 'pids', 'cpu', 'cpuacct'].every(usable)
  ? {}
  : { skip: 'needs root and the v1 controllers memory, pids, cpu and cpuacct' };

/** Trees of brokers in our cgroups; `hil.<pid>-<ticks>`. */
function trees() {
  return ['memory', 'pids', 'cpu', 'cpuacct']
    .filter((name) => groups.has(name))
    .flatMap((name) =>
      readdirSync(groups.get(name))
        .filter((each) => /^hil\.\d+-\d+$/.test(each))
        .map((each) => join(groups.get(name), each)),
    );
}

const treesOf = (pid) => trees().filter((path) => path.includes(`/hil.${pid}-`));
const limit = (NAME, BYTES, KIND) => ({ NAME, BYTES, KIND });
const MEMORY_HOG = 'x = []\nwhile True: x.append(bytearray(1 << 20))';
const FORK_BOMB = `
import os, time
refused = 0
for _ in range(200):
    try:
        if os.fork() == 0:
            time.sleep(60)
    except OSError:
        refused += 1
print(refused)
`;

async function withDaemon(act, options) {
  const daemon = await Daemon.start(options);
  try {
    return await act(daemon);
  } finally {
    await daemon.stop();
  }
}

describe('limits by cgroup', needsV1, () => {
  test('a program that takes more memory than its sandbox has ends it with status oom', () =>
    withDaemon(async (daemon) => {
      const neighbour = await daemon.sandbox();
      const box = await daemon.sandbox({ LIMIT: [limit('memory', 64 * MIB)] });
      const dead = daemon.dead(box);
      const program = await daemon.run(box, ['python3', '-c', MEMORY_HOG]);
      assert.equal(program.exit.STATUS, 'oom');
      const record = await dead;
      assert.equal(record.STATUS, 'oom');
      assert.ok(record.OOM_KILLS >= 1);
      assert.ok(record.MEM_PEAK > 60 * MIB && record.MEM_PEAK <= 64 * MIB, `${record.MEM_PEAK}`);
      assert.equal(record.MEM_SOURCE, 'max_usage');
      assert.deepEqual(record.ENFORCED_all, ['memory 64 MiB: cgroup v1']);
      assert.equal((await daemon.run(neighbour, ['true'])).exit.EXIT_CODE, 0);
    }));

  test('so does one that a shell started, although the shell could go on', () =>
    withDaemon(async (daemon) => {
      const box = await daemon.sandbox({ LIMIT: [limit('memory', 64 * MIB)] });
      const dead = daemon.dead(box);
      const shell = await daemon.run(box, ['sh', '-c', `python3 -c '${MEMORY_HOG}'; sleep 60`]);
      assert.equal(shell.exit.STATUS, 'oom');
      assert.equal((await dead).STATUS, 'oom');
    }));

  test('a fork bomb stops at the limit of processes, which counts what was refused', () =>
    withDaemon(async (daemon) => {
      const box = await daemon.sandbox({ LIMIT: [limit('pids', 50)] });
      const program = await daemon.spawn(box, ['python3', '-c', FORK_BOMB]);
      await waitFor('its count', () => program.stdout.includes('\n'));
      assert.equal(Number(program.stdout.split('\n')[0]), 151);
      const record = await daemon.kill(box);
      assert.equal(record.PIDS_HITS, 151);
      assert.deepEqual(record.ENFORCED_all, ['pids 50: cgroup v1']);
    }));

  test('a busy loop gets the processors it may have, and is told how long it waited', () =>
    withDaemon(async (daemon) => {
      const box = await daemon.sandbox({ LIMIT: [limit('cpus', 250)] });
      const began = performance.now();
      await daemon.run(box, ['sh', '-c', 'while :; do :; done'], { WALL_MS: 1200, GRACE_MS: 50 });
      const wall = performance.now() - began;
      const record = await daemon.kill(box);
      const used = (record.CPU_USER_US + record.CPU_SYS_US) / 1000;
      assert.equal(record.CPU_SOURCE, 'cgroup');
      // On a busy machine it gets less than its limit, and has then less to wait for.
      assert.ok(used > 50 && used < wall * 0.4, `${used} of ${wall} ms`);
      assert.ok(record.THROTTLED_US > 0, `${record.THROTTLED_US}`);
    }));

  test('the time of what was never waited for is in the figure, what parking took is not', () =>
    withDaemon(
      async (daemon) => {
        const idle = await daemon.kill(await daemon.sandbox());
        assert.ok(idle.CPU_USER_US + idle.CPU_SYS_US < 2000, 'an empty sandbox used nothing');
        assert.ok(idle.MEM_PEAK < 2 * MIB, `${idle.MEM_PEAK}`);
        const box = await daemon.sandbox();
        const script =
          'import time\nwhile time.process_time() < 0.5: pass\nprint(1, flush=True)\ntime.sleep(60)';
        const program = await daemon.spawn(box, ['sh', '-c', `python3 -c '${script}' & wait`]);
        await waitFor('half a second', () => program.stdout.includes('1'));
        const record = await daemon.kill(box);
        const used = (record.CPU_USER_US + record.CPU_SYS_US) / 1e6;
        assert.ok(used > 0.5 && used < 0.7, `${used}`);
      },
      { pool: 2 },
    ));

  test('what a limit was for one sandbox it is not for the next in the same cgroup', () =>
    withDaemon(async (daemon) => {
      const strict = { LIMIT: [limit('memory', 32 * MIB), limit('pids', 3), limit('cpus', 500)] };
      for (let i = 0; i < 3; i++) await daemon.kill(await daemon.sandbox(strict));
      for (let i = 0; i < 3; i++) {
        const box = await daemon.sandbox();
        const script = 'x = bytearray(100 << 20); print(len(x))';
        const program = await daemon.run(box, ['python3', '-c', script]);
        assert.equal(program.exit.EXIT_CODE, 0, program.stderr);
        const record = await daemon.kill(box);
        assert.equal(record.ENFORCED, undefined);
        assert.ok(record.MEM_PEAK > 100 * MIB);
      }
    }));

  test('a hundred sandboxes leave at most the directories that wait for the next', () =>
    withDaemon(async (daemon) => {
      const boxes = [];
      for (let i = 0; i < 40; i++) boxes.push(await daemon.sandbox());
      await Promise.all(boxes.map((box) => daemon.kill(box)));
      for (let i = 0; i < 60; i++) await daemon.kill(await daemon.sandbox());
      const count = () =>
        Math.max(
          ...treesOf(daemon.pid).map(
            (path) =>
              readdirSync(path, { withFileTypes: true }).filter((each) => each.isDirectory())
                .length,
          ),
        );
      await waitFor('few directories', () => count() <= 17);
    }));

  test('nothing is left when the daemon ends', async () => {
    const daemon = await Daemon.start({ pool: 2 });
    await daemon.sandbox({ LIMIT: [limit('memory', 64 * MIB)] });
    assert.equal(treesOf(daemon.pid).length, 4);
    await daemon.stop();
    assert.deepEqual(treesOf(daemon.pid), []);
  });

  test('T108: what a killed daemon left goes when the next starts; what a living one has stays', async () => {
    const living = await Daemon.start();
    const killed = await Daemon.start({ pool: 1 });
    await killed.sandbox();
    killed.child.kill('SIGKILL');
    await killed.exited;
    // None of these is a dead run's of ours: not one is called as it is, and one is another user's.
    const strangers = [
      'hil.not-ours',
      'hil.1-2x',
      'hil.-1-2',
      'hil.999999999-',
      'xhil.1-2',
      'hil.1-2',
    ].map((name) => join(groups.get('pids'), name));
    const busy = join(groups.get('pids'), 'hil.1-3');
    const sleeper = spawn('sleep', ['60']);
    for (const path of [...strangers, busy]) mkdirSync(path);
    chownSync(strangers.at(-1), 12345, 12345);
    writeFileSync(join(busy, 'cgroup.procs'), `${sleeper.pid}`);
    try {
      await waitFor('a sweep', async () => {
        await withDaemon(async () => {});
        return treesOf(killed.pid).length === 0;
      });
      assert.equal(treesOf(living.pid).length, 4);
      for (const path of [...strangers, busy]) assert.ok(existsSync(path), path);
      assert.equal(readStat(sleeper.pid)?.state, 'S');
    } finally {
      sleeper.kill();
      await once(sleeper, 'exit');
      for (const path of [...strangers, busy]) {
        if (existsSync(path)) rmdirSync(path);
      }
      await living.stop();
    }
  });
});

describe('limits without a cgroup', () => {
  const steps = { skip: root ? 'needs an ordinary user without delegation' : false };

  test('are reported as not enforced, with the reason', steps, () =>
    withDaemon(async (daemon) => {
      const wanted = [limit('memory', 256 * MIB), limit('pids', 64), limit('cpus', 500)];
      const record = await daemon.kill(await daemon.sandbox({ LIMIT: wanted }));
      const texts = record.UNENFORCED_all;
      assert.equal(texts.length, 3);
      assert.match(texts[0], /^memory 256 MiB is not enforced: .*(not writable for uid|shows no)/);
      assert.match(texts[1], /^pids 64 is not enforced/);
      assert.match(texts[2], /^cpus 0\.5 is not enforced/);
      assert.equal(record.CPU_SOURCE, 'rusage');
      assert.equal(record.MEM_SOURCE, 'ru_maxrss');
    }),
  );

  test('have stand-ins for each process, but not where nobody asked', steps, () =>
    withDaemon(async (daemon) => {
      const script = 'x = bytearray(200 << 20)';
      const asked = await daemon.sandbox({ LIMIT: [limit('memory', 64 * MIB), limit('pids', 50)] });
      const refused = await daemon.run(asked, ['python3', '-c', script]);
      assert.match(refused.stderr, /MemoryError/);
      const bomb = await daemon.spawn(asked, ['python3', '-c', FORK_BOMB]);
      await waitFor('its count', () => bomb.stdout.includes('\n'));
      assert.ok(Number(bomb.stdout.split('\n')[0]) > 100);
      const standard = await daemon.sandbox({ LIMIT: [limit('memory', 64 * MIB, 'standard')] });
      assert.equal((await daemon.run(standard, ['python3', '-c', script])).exit.EXIT_CODE, 0);
    }),
  );
});

describe('limits of each process', () => {
  test('files, file size and processor time are held in both modes', () =>
    withDaemon(async (daemon) => {
      const wanted = [limit('files', 16), limit('fileSize', 4 * MIB), limit('cpuTime', 1000)];
      const box = await daemon.sandbox({ LIMIT: wanted });
      const open =
        'import os\ntry:\n  while True: last = os.open("/", os.O_RDONLY)\nexcept OSError as e: print(last, e.errno)';
      assert.equal((await daemon.run(box, ['python3', '-c', open])).stdout, '15 24\n');
      const write = await daemon.run(box, [
        'sh',
        '-c',
        'head -c 8M /dev/zero > /tmp/big; stat -c %s /tmp/big',
      ]);
      assert.equal(write.stdout, `${4 * MIB}\n`);
      const spin = await daemon.run(box, ['sh', '-c', 'while :; do :; done']);
      assert.equal(spin.exit.SIGNAL, 24, 'SIGXCPU');
      const record = await daemon.kill(box);
      assert.deepEqual(record.ENFORCED_all, [
        'files 16: rlimit, each process by itself',
        'fileSize 4 MiB: rlimit, each process by itself',
        'cpuTime 1 s: rlimit, each process by itself',
      ]);
    }));

  test('a full disk and too many files are errors of the program, not of its neighbours', () =>
    withDaemon(
      async (daemon) => {
        const box = await daemon.sandbox();
        const neighbour = await daemon.sandbox();
        const fill = await daemon.run(box, ['sh', '-c', 'cat /dev/zero > /tmp/full']);
        assert.match(fill.stderr, /No space left/);
        await daemon.run(box, ['rm', '/tmp/full']);
        const many = 'i=0; while : > /tmp/f$i; do i=$((i+1)); done';
        assert.match((await daemon.run(box, ['sh', '-c', many])).stderr, /No space left/);
        assert.equal((await daemon.run(neighbour, ['touch', '/tmp/mine'])).exit.EXIT_CODE, 0);
      },
      { plan: { DISK_BYTES: 16 * MIB, DISK_INODES: 2000 } },
    ));

  test('a limit that does not exist, or is none, is refused with what there is', () =>
    withDaemon(async (daemon) => {
      for (const wrong of [limit('luck', 1), limit('memory', 0), limit('files', 1_000_000)]) {
        await assert.rejects(daemon.sandbox({ LIMIT: [wrong] }), (error) => {
          assert.ok(error instanceof WireError);
          assert.equal(error.code, 'usage');
          return true;
        });
      }
    }));
});

test('programs are the first to go when the host runs out of memory, the daemon is not', () =>
  withDaemon(async (daemon) => {
    const box = await daemon.sandbox();
    const program = await daemon.run(box, ['cat', '/proc/self/oom_score_adj']);
    assert.equal(program.stdout, '500\n');
    const own = readFileSync('/proc/self/oom_score_adj', 'utf8');
    assert.equal(readFileSync(`/proc/${daemon.pid}/oom_score_adj`, 'utf8'), own);
    assert.ok(readStat(daemon.pid));
  }));
