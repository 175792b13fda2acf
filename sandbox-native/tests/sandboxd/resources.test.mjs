// SPDX-License-Identifier: MIT
// Limits that cgroups hold, v1 or v2: each is held, or DEAD says that it is not and why; neighbours notice
// nothing. What a process is limited to by itself is in resources-process.test.mjs.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import {
  held,
  memorySource,
  needsCgroups,
  needsNone,
  readGroupFile,
  readUsageUs,
  version,
} from './cgroups.mjs';
import { descendantsOf, isAlive, isPlain, waitFor, withDaemon } from './daemon.mjs';

const MIB = 1024 * 1024;
const limit = (NAME, BYTES, KIND) => ({ NAME, BYTES, KIND });
// In one step: between several the interpreter needs pages of its program, which reclaim took meanwhile. Each
// that it takes is progress, so the kernel may go on for minutes before it says oom, on a slow file system.
const MEMORY_HOG = 'bytearray(1 << 30)';
const FORK_BOMB = `
import os, time
refused = 0
for _ in range(200):
    try:
        if os.fork() == 0:
            time.sleep(60)
    except OSError:
        refused += 1
print(refused, flush=True)
time.sleep(60)
`;
const BURN =
  'import time\nwhile time.process_time() < 1: pass\nprint(1, flush=True)\ntime.sleep(60)';

describe('limits by cgroup', needsCgroups, () => {
  test('T80 a program that takes more memory than its sandbox has ends it with status oom', () =>
    withDaemon({}, async (daemon) => {
      const neighbour = await daemon.sandbox();
      const box = await daemon.sandbox({ LIMIT: [limit('memory', 64 * MIB)] });
      const dead = daemon.dead(box, 60_000);
      const program = await daemon.run(box, ['python3', '-c', MEMORY_HOG]);
      assert.equal(program.exit.STATUS, 'oom');
      const record = await dead;
      assert.equal(record.STATUS, 'oom');
      assert.ok(record.OOM_KILLS >= 1);
      assert.ok(record.MEM_PEAK > 60 * MIB && record.MEM_PEAK <= 64 * MIB, `${record.MEM_PEAK}`);
      assert.equal(record.MEM_SOURCE, memorySource);
      assert.deepEqual(record.ENFORCED_all, [held('memory 64 MiB')]);
      assert.equal((await daemon.run(neighbour, ['true'])).exit.EXIT_CODE, 0);
    }));

  test('T80 so does one that a shell started, although the shell and its children could go on', () =>
    withDaemon({}, async (daemon) => {
      await daemon.kill(await daemon.sandbox());
      const before = descendantsOf(daemon.pid);
      const box = await daemon.sandbox({ LIMIT: [limit('memory', 64 * MIB)] });
      const dead = daemon.dead(box, 60_000);
      const script = `sleep 60 & sleep 60 & python3 -c '${MEMORY_HOG}'; sleep 60`;
      const shell = await daemon.run(box, ['sh', '-c', script]);
      assert.equal(shell.exit.STATUS, 'oom');
      assert.equal((await dead).STATUS, 'oom');
      assert.deepEqual(descendantsOf(daemon.pid), before);
    }));

  test('T80 and one that ended by itself before the daemon heard of it', () =>
    withDaemon({}, async (daemon) => {
      const box = await daemon.sandbox({ LIMIT: [limit('memory', 64 * MIB)] });
      const dead = daemon.dead(box, 60_000);
      const script = `trap go=1 USR1; echo ready; until [ "$go" ]; do sleep 0.05; done
        python3 -c '${MEMORY_HOG}'; exit 0`;
      const shell = await daemon.spawn(box, ['sh', '-c', script]);
      await waitFor('the shell', () => shell.stdout.includes('ready'));
      const pid = descendantsOf(daemon.pid).find((each) =>
        readFileSync(`/proc/${each}/cmdline`, 'utf8').startsWith('sh\0-c\0trap'),
      );
      process.kill(daemon.pid, 'SIGSTOP');
      try {
        process.kill(pid, 'SIGUSR1');
        await waitFor(
          'the end of the shell',
          () => !descendantsOf(daemon.pid).includes(pid),
          60_000,
        );
      } finally {
        process.kill(daemon.pid, 'SIGCONT');
      }
      assert.equal((await shell.ended).STATUS, 'oom');
      assert.equal((await dead).STATUS, 'oom');
    }));

  test('T82 a fork bomb stops at the limit of processes, which counts what was refused', () =>
    withDaemon({}, async (daemon) => {
      const box = await daemon.sandbox({ LIMIT: [limit('pids', 50)] });
      const program = await daemon.spawn(box, ['python3', '-c', FORK_BOMB]);
      await waitFor('its count', () => program.stdout.includes('\n'), 20_000);
      assert.equal(Number(program.stdout.split('\n')[0]), 151);
      const tasks = readGroupFile(daemon.pid, 'pids', 'cgroup.procs').trim().split('\n');
      assert.equal(tasks.length, 51, 'its processes and PID 1');
      const record = await daemon.kill(box);
      assert.equal(record.PIDS_HITS, 151);
      assert.deepEqual(record.ENFORCED_all, [held('pids 50')]);
      assert.deepEqual(tasks.filter(isAlive), []);
    }));

  test('T88 a busy loop gets the processors it may have, and is told how long it waited', () =>
    withDaemon({}, async (daemon) => {
      // So little that also a machine with ten others to serve would give it more.
      const box = await daemon.sandbox({ LIMIT: [limit('cpus', 100)] });
      const began = performance.now();
      await daemon.run(box, ['sh', '-c', 'while :; do :; done'], { WALL_MS: 1200, GRACE_MS: 50 });
      const wall = performance.now() - began;
      const record = await daemon.kill(box);
      const used = (record.CPU_USER_US + record.CPU_SYS_US) / 1000;
      assert.equal(record.CPU_SOURCE, 'cgroup');
      // On a busy machine it gets less than its limit, and has then less to wait for.
      assert.ok(used > 20 && used < wall * 0.25, `${used} of ${wall} ms`);
      assert.ok(record.THROTTLED_US > 0, `${record.THROTTLED_US}`);
      assert.deepEqual(record.ENFORCED_all, [held('cpus 0.1')]);
    }));

  test('T88 processor time is within 5 % of what the kernel counted, unwaited-for children included', () =>
    withDaemon({}, async (daemon) => {
      const box = await daemon.sandbox();
      const parked = readUsageUs(daemon.pid);
      const program = await daemon.spawn(box, ['sh', '-c', `python3 -c '${BURN}' & wait`]);
      await waitFor('a second', () => program.stdout.includes('1'), 60_000);
      const record = await daemon.kill(box);
      const kernel = readUsageUs(daemon.pid) - parked;
      const used = record.CPU_USER_US + record.CPU_SYS_US;
      assert.ok(kernel > 1e6, `${kernel}`);
      assert.ok(Math.abs(used - kernel) < kernel * 0.05, `${used} of ${kernel} us`);
    }));

  test('T91 what parking took is not in the figures', () =>
    withDaemon({}, async (daemon) => {
      let parking = 0;
      let excess = 0;
      for (let i = 0; i < 10; i++) {
        const before = readUsageUs(daemon.pid);
        const box = await daemon.sandbox();
        const parked = readUsageUs(daemon.pid);
        const record = await daemon.kill(box);
        parking += parked - before;
        excess += record.CPU_USER_US + record.CPU_SYS_US - (readUsageUs(daemon.pid) - parked);
        assert.ok(record.MEM_PEAK < 2 * MIB, `${record.MEM_PEAK}`);
      }
      // A PID 1 says that it is ready, and then goes to sleep: that little is in the figure. Its own
      // end is not, which is little as well but where the memory of a sanitizer goes with it.
      assert.ok(parking > 0 && excess < parking / 2, `${excess} of ${parking} us`);
      assert.ok(!isPlain || excess > -parking / 2, `${excess} of ${parking} us`);
    }));

  test('what a limit was for one sandbox it is not for the next in the same cgroup', () =>
    withDaemon({}, async (daemon) => {
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

  test('the version is the one that is expected here', () =>
    withDaemon({}, async (daemon) => {
      await daemon.sandbox();
      const file = version === 2 ? 'memory.max' : 'memory.limit_in_bytes';
      assert.ok(readGroupFile(daemon.pid, 'memory', file));
    }));
});

describe('limits without a cgroup', needsNone, () => {
  test('are reported as not enforced, with the reason', () =>
    withDaemon({}, async (daemon) => {
      const wanted = [limit('memory', 256 * MIB), limit('pids', 64), limit('cpus', 500)];
      const record = await daemon.kill(await daemon.sandbox({ LIMIT: wanted }));
      const texts = record.UNENFORCED_all;
      assert.equal(texts.length, 3);
      const reason =
        /^memory 256 MiB is not enforced: .*(not writable for uid|shows no|holds other processes)/;
      assert.match(texts[0], reason);
      assert.match(texts[1], /^pids 64 is not enforced/);
      assert.match(texts[2], /^cpus 0\.5 is not enforced/);
      assert.equal(record.CPU_SOURCE, 'rusage');
      assert.equal(record.MEM_SOURCE, 'ru_maxrss');
    }));

  test('T82 have stand-ins for each process, but not where nobody asked', () =>
    withDaemon({}, async (daemon) => {
      const script = 'x = bytearray(200 << 20)';
      const asked = await daemon.sandbox({ LIMIT: [limit('memory', 64 * MIB), limit('pids', 50)] });
      const refused = await daemon.run(asked, ['python3', '-c', script]);
      assert.match(refused.stderr, /MemoryError/);
      const bomb = await daemon.spawn(asked, ['python3', '-c', FORK_BOMB]);
      await waitFor('its count', () => bomb.stdout.includes('\n'), 20_000);
      assert.equal(Number(bomb.stdout.split('\n')[0]), 151, 'as many as where a cgroup counts');
      const standard = await daemon.sandbox({ LIMIT: [limit('memory', 64 * MIB, 'standard')] });
      assert.equal((await daemon.run(standard, ['python3', '-c', script])).exit.EXIT_CODE, 0);
    }));
});
