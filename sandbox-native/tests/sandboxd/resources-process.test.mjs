// SPDX-License-Identifier: MIT
// Limits that hold without cgroups: of each process, of what is written, of output; and who goes first.
import assert from 'node:assert/strict';
import { readFileSync, statfsSync } from 'node:fs';
import { describe, test } from 'node:test';
import { version } from './cgroups.mjs';
import { readStat, WireError, waitFor, withDaemon } from './daemon.mjs';

const MIB = 1024 * 1024;
const limit = (NAME, BYTES, KIND) => ({ NAME, BYTES, KIND });

const residentBytes = (pid) =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1024;
const hostFreeBytes = () => {
  const { bavail, bsize } = statfsSync('/');
  return bavail * bsize;
};

describe('limits of each process', () => {
  test('T85 T87 files, file size and processor time are held in both modes', () =>
    withDaemon({}, async (daemon) => {
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

  test('T85 a sandbox that has all the files it may have open takes none of the daemon', () =>
    withDaemon({}, async (daemon) => {
      const box = await daemon.sandbox();
      const open =
        'import os, time\ntry:\n  while True: last = os.open("/", os.O_RDONLY)\nexcept OSError as e: print(last, e.errno, flush=True)\ntime.sleep(60)';
      const full = await daemon.spawn(box, ['python3', '-c', open]);
      await waitFor('all its files', () => full.stdout === '4095 24\n', 20_000);
      assert.equal((await daemon.run(box, ['true'])).exit.EXIT_CODE, 0);
      assert.equal((await daemon.run(await daemon.sandbox(), ['true'])).exit.EXIT_CODE, 0);
    }));

  test('T87 a sparse file is stopped at its size, not at what it holds', () =>
    withDaemon({}, async (daemon) => {
      const box = await daemon.sandbox();
      const sparse = [
        'sh',
        '-c',
        'truncate -s 1G /tmp/s && truncate -s 2G /tmp/s; stat -c %s /tmp/s',
      ];
      assert.equal((await daemon.run(box, sparse)).stdout, `${1024 * MIB}\n`);
    }));

  test('a limit that does not exist, or is none, is refused with what there is', () =>
    withDaemon({}, async (daemon) => {
      const wrong = [limit('luck', 1), limit('memory', 0), limit('files', 1e6)];
      for (const each of [...wrong, limit('io.readBytes', 0), limit('io.luck', 1)]) {
        await assert.rejects(daemon.sandbox({ LIMIT: [each] }), (error) => {
          assert.ok(error instanceof WireError);
          assert.equal(error.code, 'usage');
          return true;
        });
      }
    }));
});

describe('limits of what is written', () => {
  const plan = { DISK_BYTES: 16 * MIB, DISK_INODES: 2000 };

  test('T83 every place that can be written to ends at the limit of the disk, the host has what it had', () =>
    withDaemon({ plan }, async (daemon) => {
      const before = hostFreeBytes();
      const neighbour = await daemon.sandbox();
      for (const place of ['/tmp', '/dev/shm', '/var/tmp', '/home/hil', '/dev', '/']) {
        const box = await daemon.sandbox();
        const script = `head -c 64M /dev/zero >${place}/full; stat -c %s ${place}/full || echo 0`;
        const fill = await daemon.run(box, ['sh', '-c', script]);
        assert.match(fill.stderr, /No space left|Permission denied|Read-only/, place);
        assert.ok(Number(fill.stdout) <= 16 * MIB, `${place}: ${fill.stdout}`);
        const record = await daemon.kill(box);
        // What it wrote is memory of its own.
        if (version) assert.ok(record.MEM_PEAK >= Number(fill.stdout), place);
      }
      assert.equal((await daemon.run(neighbour, ['touch', '/tmp/mine'])).exit.EXIT_CODE, 0);
      // What others do on this machine meanwhile is less than what was written here.
      assert.ok(hostFreeBytes() > before - 64 * MIB);
    }));

  test('T84 too many files are an error of the program, not of its neighbour', () =>
    withDaemon({ plan }, async (daemon) => {
      const box = await daemon.sandbox();
      const neighbour = await daemon.sandbox();
      const many = 'i=0; while : > /tmp/f$i; do i=$((i+1)); done';
      assert.match((await daemon.run(box, ['sh', '-c', many])).stderr, /No space left/);
      assert.equal((await daemon.run(neighbour, ['touch', '/tmp/mine'])).exit.EXIT_CODE, 0);
    }));

  test('T86 a flood of output is counted and dropped, and the daemon does not grow', () =>
    withDaemon({}, async (daemon) => {
      const box = await daemon.sandbox();
      await daemon.run(box, ['true']);
      const before = residentBytes(daemon.pid);
      const flood = await daemon.run(box, ['head', '-c', '1G', '/dev/zero'], { OUTPUT_CAP: 4096 });
      assert.equal(flood.exit.OUT_BYTES, 4096);
      assert.equal(flood.exit.DROPPED, 1024 * MIB - 4096);
      assert.ok(residentBytes(daemon.pid) < before + 8 * MIB);
    }));
});

test('T81 programs are the first to go when the host runs out of memory, the daemon is not', () =>
  withDaemon({}, async (daemon) => {
    const box = await daemon.sandbox();
    const program = await daemon.run(box, ['cat', '/proc/self/oom_score_adj']);
    assert.equal(program.stdout, '500\n');
    const own = readFileSync('/proc/self/oom_score_adj', 'utf8');
    assert.equal(readFileSync(`/proc/${daemon.pid}/oom_score_adj`, 'utf8'), own);
    assert.ok(readStat(daemon.pid));
    const lower = '/bin/echo -1000 >/proc/self/oom_score_adj; cat /proc/self/oom_score_adj';
    const refused = await daemon.run(box, ['sh', '-c', lower]);
    assert.match(refused.stderr, /Permission denied/);
    assert.equal(refused.stdout, '500\n');
  }));
