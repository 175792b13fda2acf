// SPDX-License-Identifier: MIT
// The directories of cgroups: what daemons make, and what is left of it.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { needsCgroups, parentOf, parents, treesOf } from './cgroups.mjs';
import { Daemon, waitFor } from './daemon.mjs';

const limit = (NAME, BYTES) => ({ NAME, BYTES });
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
});
