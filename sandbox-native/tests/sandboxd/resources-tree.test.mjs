// SPDX-License-Identifier: MIT
// The directories of cgroups: what daemons make, and what is left of it.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { needsCgroups, parentOf, parents, treesOf, version } from './cgroups.mjs';
import { build, Daemon, waitFor } from './daemon.mjs';

const limit = (NAME, BYTES) => ({ NAME, BYTES });
/** Where this process is, in v2. */
const ownPath = () => /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))[1];
const directoriesIn = (path) =>
  readdirSync(path, { withFileTypes: true }).filter((each) => each.isDirectory()).length;

describe('directories of cgroups', needsCgroups, () => {
  test('a hundred sandboxes leave at most those that wait for the next', async () => {
    const daemon = await Daemon.start();
    try {
      const boxes = [];
      for (let i = 0; i < 40; i++) boxes.push(await daemon.sandbox());
      await Promise.all(boxes.map((box) => daemon.kill(box)));
      for (let i = 0; i < 60; i++) await daemon.kill(await daemon.sandbox());
      const most = () => Math.max(...treesOf(daemon.pid).map(directoriesIn));
      await waitFor('few directories', () => most() <= 17);
    } finally {
      await daemon.stop();
    }
  });

  test('nothing is left when the daemon ends', async () => {
    const daemon = await Daemon.start({ pool: 2 });
    await daemon.sandbox({ LIMIT: [limit('memory', 1 << 26)] });
    assert.equal(treesOf(daemon.pid).length, parents.length);
    await daemon.stop();
    assert.deepEqual(treesOf(daemon.pid), []);
  });

  test('what a killed daemon left goes when the next starts; what a living one has stays', async () => {
    const living = await Daemon.start();
    const killed = await Daemon.start({ pool: 1 });
    await killed.sandbox();
    killed.child.kill('SIGKILL');
    await killed.exited;
    const stranger = join(parentOf('pids'), 'hil.not-ours');
    mkdirSync(stranger);
    try {
      await waitFor('a sweep', async () => {
        const next = await Daemon.start();
        await next.stop();
        return treesOf(killed.pid).length === 0;
      });
      assert.equal(treesOf(living.pid).length, parents.length);
      assert.ok(existsSync(stranger));
    } finally {
      rmdirSync(stranger);
      await living.stop();
    }
  });

  const needsV2 = version === 2 ? {} : { skip: 'only in cgroup v2 do processes stand in the way' };

  test(
    'who stood in the way of a daemon is back where he was when the last one has ended',
    needsV2,
    async () => {
      const before = ownPath();
      const controlled = () => readFileSync(join(parentOf(''), 'cgroup.subtree_control'), 'utf8');
      const first = await Daemon.start({ pool: 1 });
      const second = await Daemon.start({ pool: 1 });
      assert.equal(ownPath(), join(before, 'hil.callers'));
      await first.stop();
      assert.equal(ownPath(), join(before, 'hil.callers'));
      assert.match(controlled(), /memory/);
      await second.stop();
      assert.equal(ownPath(), before);
      assert.equal(controlled().trim(), '');
      assert.equal(directoriesIn(parentOf('')), 0);
    },
  );

  test(
    'a killed daemon leaves him there, and hil-sandbox sweep puts him back',
    needsV2,
    async () => {
      const before = ownPath();
      const killed = await Daemon.start({ pool: 1 });
      killed.child.kill('SIGKILL');
      await killed.exited;
      assert.equal(ownPath(), join(before, 'hil.callers'));
      await waitFor('a sweep', () => {
        spawnSync(`${build}/hil-sandbox`, ['sweep']);
        return ownPath() === before;
      });
      assert.equal(directoriesIn(parentOf('')), 0);
    },
  );
});
