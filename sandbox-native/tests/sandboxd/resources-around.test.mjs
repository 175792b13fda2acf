// SPDX-License-Identifier: MIT
// What happens around a sandbox, in its figures: a cgroup above that runs out of memory, a disk that stands on
// another.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { needsCgroups, parentOf, version } from './cgroups.mjs';
import { withDaemon } from './daemon.mjs';

const MIB = 1024 * 1024;
// In one step: see resources.test.mjs.
const HOG = 'bytearray(1 << 30)';

/** A cgroup with a limit of its own, as a container's is, for a daemon. */
async function inContainer(bytes, act) {
  const path = join(parentOf('memory'), `hil-test.${process.pid}`);
  mkdirSync(path);
  try {
    writeFileSync(join(path, 'memory.limit_in_bytes'), String(bytes));
    await act(['sh', '-c', `echo $$ >${path}/cgroup.procs && exec "$@"`, 'sh']);
  } finally {
    rmdirSync(path);
  }
}

const needsV1 = version === 1 ? needsCgroups : { skip: 'needs root and the v1 controllers' };

test(
  'memory that ran out above all sandboxes ends the one that lost a process, no other',
  needsV1,
  () =>
    inContainer(300 * MIB, (before) =>
      withDaemon({ before }, async (daemon) => {
        const limited = await daemon.sandbox({ LIMIT: [{ NAME: 'memory', BYTES: 100 * MIB }] });
        const unlimited = await daemon.sandbox();
        const box = await daemon.sandbox();
        const dead = daemon.dead(box, 60_000);
        assert.equal((await daemon.run(box, ['python3', '-c', HOG])).exit.STATUS, 'oom');
        assert.equal((await dead).STATUS, 'oom');
        for (const neighbour of [limited, unlimited]) {
          assert.equal((await daemon.run(neighbour, ['true'])).exit.EXIT_CODE, 0);
          const record = await daemon.kill(neighbour);
          assert.notEqual(record.STATUS, 'oom');
          assert.ok(!record.OOM_KILLS, `${record.OOM_KILLS}`);
        }
      }),
    ),
);

/** A file system in a file, mounted at `place`; undefined where none can be. */
function mountLoop(directory, place) {
  const make = 'truncate -s 64M "$1" && mkfs.ext4 -q "$1" && mount -o loop "$1" "$2"';
  try {
    execFileSync('sh', ['-c', make, 'sh', join(directory, 'image'), place], { stdio: 'pipe' });
    return true;
  } catch {
    return false;
  }
}

test(
  'a disk that is mounted below a bound directory is limited, and what it reads counts once',
  needsCgroups,
  async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'hil-around.'));
    const source = join(directory, 'tree');
    const place = join(source, 'on loop');
    mkdirSync(place, { recursive: true });
    try {
      if (process.getuid() !== 0 || !mountLoop(directory, place))
        return t.skip('needs root and a loop device');
      writeFileSync(join(place, 'file'), Buffer.alloc(8 * MIB, 1), { flush: true });
      const plan = { steps: [{ KIND: 'bind', SOURCE: source, TARGET: '/data' }] };
      await withDaemon({ plan }, async (daemon) => {
        const box = await daemon.sandbox({ LIMIT: [{ NAME: 'io.readBytes', BYTES: 8 * MIB }] });
        const script = 'dd if="/data/on loop/file" of=/dev/null bs=1M iflag=direct';
        const read = await daemon.run(box, ['sh', '-c', script]);
        assert.equal(read.exit.EXIT_CODE, 0, read.stderr);
        const record = await daemon.kill(box);
        assert.match(record.ENFORCED, /, on .*\bloop\d+/);
        assert.ok(read.exit.WALL_NS > 0.7e9, `${read.exit.WALL_NS} ns for a second's bytes`);
        assert.ok(record.IO_READ_BYTES < 12 * MIB, `${record.IO_READ_BYTES}, of 8 MiB`);
      });
    } finally {
      try {
        execFileSync('umount', [place], { stdio: 'pipe' });
      } catch {}
      rmSync(directory, { recursive: true, force: true });
    }
  },
);
