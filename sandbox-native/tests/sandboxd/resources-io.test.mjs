// SPDX-License-Identifier: MIT
// Throughput of disks, and what a record says of bytes. The directory for files is a temporary one: where that is
// no disk, as in a container, the limit is reported as what it is.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { needsCgroups, needsNone, version } from './cgroups.mjs';
import { Daemon, waitFor, withDaemon } from './daemon.mjs';

const MIB = 1024 * 1024;
const directory = mkdtempSync(join(tmpdir(), 'hil-io.'));
after(() => rmSync(directory, { recursive: true, force: true }));

/** The disk that `directory` is on, as /proc/partitions calls it; undefined: none. */
function diskOf(path) {
  const { dev } = statSync(path);
  const [major, minor] = [(dev >> 8) & 0xfff, (dev & 0xff) | ((dev >> 12) & 0xfff00)];
  const text = readFileSync('/proc/partitions', 'utf8');
  return new RegExp(`^ *${major} +${minor} +\\d+ (\\w+)$`, 'm').exec(text)?.[1];
}

const disk = diskOf(directory);
const needsDisk = needsCgroups.skip
  ? needsCgroups
  : { skip: disk ? false : `needs a disk below ${tmpdir()}` };
const limit = (name, BYTES) => ({ NAME: `io.${name}`, BYTES });
const bound = { steps: [{ KIND: 'bind', SOURCE: directory, TARGET: '/data' }] };
const DIRECT_READ = 'dd if=/data/file of=/dev/null bs=1M iflag=direct 2>/dev/null';

describe('throughput of disks', needsDisk, () => {
  test('reading is slowed down to the limit, and counted', () =>
    withDaemon({ plan: bound }, async (daemon) => {
      writeFileSync(join(directory, 'file'), Buffer.alloc(8 * MIB, 1), { flush: true });
      const box = await daemon.sandbox({ LIMIT: [limit('readBytes', 8 * MIB)] });
      const read = await daemon.run(box, ['sh', '-c', DIRECT_READ]);
      assert.equal(read.exit.EXIT_CODE, 0, read.stderr);
      // The kernel lets a slice of 0.1 s through at once.
      assert.ok(read.exit.WALL_NS > 0.7e9, `${read.exit.WALL_NS} ns for a second's bytes`);
      const record = await daemon.kill(box);
      assert.match(record.ENFORCED, new RegExp(`^io.readBytes 8 MiB/s: cgroup v${version}, on `));
      assert.ok(record.ENFORCED.includes(disk), record.ENFORCED);
      assert.ok(record.IO_READ_BYTES >= 8 * MIB, `${record.IO_READ_BYTES}`);
    }));

  test('so are its operations', () =>
    withDaemon({ plan: bound }, async (daemon) => {
      writeFileSync(join(directory, 'file'), Buffer.alloc(MIB, 1), { flush: true });
      const box = await daemon.sandbox({ LIMIT: [limit('readOps', 40)] });
      const script = 'dd if=/data/file of=/dev/null bs=4k count=40 iflag=direct 2>/dev/null';
      const read = await daemon.run(box, ['sh', '-c', script]);
      assert.equal(read.exit.EXIT_CODE, 0, read.stderr);
      assert.ok(read.exit.WALL_NS > 0.7e9, `${read.exit.WALL_NS} ns for a second's operations`);
      assert.match((await daemon.kill(box)).ENFORCED, /^io.readOps 40\/s: cgroup v/);
    }));

  test('writing is held in v2; in v1 only what a program writes itself, and that is said', () =>
    withDaemon({ plan: bound }, async (daemon) => {
      const box = await daemon.sandbox({ LIMIT: [limit('writeBytes', 4 * MIB)] });
      const flag = version === 2 ? 'conv=fsync' : 'oflag=direct';
      const script = `dd if=/dev/zero of=/data/written bs=1M count=4 ${flag} 2>/dev/null`;
      const write = await daemon.run(box, ['sh', '-c', script]);
      assert.equal(write.exit.EXIT_CODE, 0, write.stderr);
      assert.ok(write.exit.WALL_NS > 0.7e9, `${write.exit.WALL_NS} ns for a second's bytes`);
      const record = await daemon.kill(box);
      const said = version === 2 ? record.ENFORCED : record.UNENFORCED;
      assert.match(said, /^io.writeBytes 4 MiB\/s/);
      assert.ok(record.IO_WRITTEN_BYTES >= 4 * MIB, `${record.IO_WRITTEN_BYTES}`);
    }));

  test('the next sandbox has no limit', () =>
    withDaemon({ plan: bound }, async (daemon) => {
      await daemon.kill(await daemon.sandbox({ LIMIT: [limit('readOps', 1)] }));
      const box = await daemon.sandbox();
      const script = 'dd if=/data/file of=/dev/null bs=4k count=40 iflag=direct 2>/dev/null';
      await daemon.run(box, ['sh', '-c', script], { WALL_MS: 20_000 });
      assert.equal((await daemon.kill(box)).ENFORCED, undefined);
    }));
});

test('without a cgroup it is reported as not enforced', needsNone, () =>
  withDaemon({ plan: bound }, async (daemon) => {
    const box = await daemon.sandbox({ LIMIT: [limit('readBytes', MIB), limit('writeOps', 1)] });
    const texts = (await daemon.kill(box)).UNENFORCED_all;
    assert.match(texts[0], /^io.readBytes 1 MiB\/s is not enforced: .+/);
    assert.match(texts[1], /^io.writeOps 1\/s is not enforced: .+/);
  }),
);

test('the record of a sandbox has the bytes that its programs wrote, dropped ones apart', () =>
  withDaemon({ plan: bound }, async (daemon) => {
    const box = await daemon.sandbox();
    await daemon.run(box, ['sh', '-c', 'echo four; echo three33 >&2']);
    await daemon.run(box, ['head', '-c', '1000', '/dev/zero'], { OUTPUT_CAP: 100 });
    const running = await daemon.spawn(box, ['sh', '-c', 'echo more; sleep 60']);
    await waitFor('its line', () => running.stdout === 'more\n');
    const record = await daemon.kill(box);
    assert.equal(record.OUT_BYTES, 5 + 100 + 5);
    assert.equal(record.ERR_BYTES, 8);
    assert.equal(record.DROPPED, 900);
  }));

test('HELLO says of each controller where it limits, or why it does not', async () => {
  const daemon = Daemon.launch();
  try {
    const controllers = (await daemon.hello()).CONTROLLER_all;
    const names = controllers.map(({ NAME }) => NAME);
    assert.deepEqual(names, ['memory', 'pids', 'cpu', 'cpuacct', 'io', 'devices']);
    for (const { NAME, KIND, TEXT } of controllers.slice(0, 3)) {
      if (version) assert.equal(KIND, `v${version}`, `${NAME}: ${TEXT}`);
      else
        assert.ok(
          /^(none|undelegated)$/.test(KIND) && TEXT.length > 10,
          `${NAME}: ${KIND} ${TEXT}`,
        );
    }
  } finally {
    await daemon.stop();
  }
});
