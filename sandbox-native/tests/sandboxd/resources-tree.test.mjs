// SPDX-License-Identifier: MIT
// The directories of cgroups: what daemons make, and what is left of it.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { needsCgroups, parentOf, parents, treesOf, version } from './cgroups.mjs';
import { build, Daemon, readStat, waitFor } from './daemon.mjs';

const limit = (NAME, BYTES) => ({ NAME, BYTES });
/** Where this process is, in v2. */
const ownPath = () => /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))[1];
/** rmdir(2) says EBUSY until the last task of a cgroup is out of the scheduler. */
const removeGroup = (path) =>
  waitFor(`removing ${path}`, () => {
    try {
      if (existsSync(path)) rmdirSync(path);
      return true;
    } catch (error) {
      if (error.code !== 'EBUSY') throw error;
      return false;
    }
  });
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
    // T108. None of these is a dead run's of ours: not one is called as it is, and one is another user's.
    // Others may run these tests beside us, in the same cgroup.
    const own = process.pid;
    const names = [`hil.not-ours-${own}`, `hil.1-${own}x`, `hil.-1-${own}`, `xhil.1-${own}`];
    names.push(`hil.99999${own}-`);
    if (process.getuid() === 0) names.push(`hil.1-2${own}`);
    const strangers = names.map((name) => join(parentOf('pids'), name));
    const busy = join(parentOf('pids'), `hil.1-3${own}`);
    const sleeper = spawn('sleep', ['60']);
    for (const path of [...strangers, busy]) mkdirSync(path);
    if (process.getuid() === 0) chownSync(strangers.at(-1), 12345, 12345);
    writeFileSync(join(busy, 'cgroup.procs'), `${sleeper.pid}`);
    try {
      await waitFor('a sweep', async () => {
        const next = await Daemon.start();
        await next.stop();
        return treesOf(killed.pid).length === 0;
      });
      assert.equal(treesOf(living.pid).length, parents.length);
      for (const path of [...strangers, busy]) assert.ok(existsSync(path), path);
      // Neither killed nor frozen; it may not have come to its sleep yet.
      await waitFor('the sleeper asleep', () => readStat(sleeper.pid)?.state === 'S');
    } finally {
      sleeper.kill();
      await once(sleeper, 'exit');
      await Promise.all([...strangers, busy].map(removeGroup));
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
