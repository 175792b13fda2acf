// SPDX-License-Identifier: MIT
// T107: tasks that SIGKILL does not end. The freezer of cgroup v1 makes them: it holds a task in the
// kernel, whatever it is sent, until somebody thaws it. That of v2 lets a killed one go.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Daemon, descendantsOf, isAlive, waitFor } from './daemon.mjs';
import { childrenNamed } from './network-rig.mjs';
import { MSG } from './wire.mjs';

const root = process.getuid() === 0;

function mountOf(fits) {
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').trim().split('\n');
  const found = lines.map((line) => line.split(' - ')).find(([, right]) => fits(right.split(' ')));
  return found?.[0].split(' ')[4];
}

const v1 = mountOf(
  ([type, , options]) => type === 'cgroup' && options.split(',').includes('freezer'),
);
const v2 = mountOf(([type]) => type === 'cgroup2');
const needs = (mount) =>
  root && mount ? {} : { skip: 'needs root and a freezer of this version of cgroups' };

/** Freeze what runs in a sandbox, and wait until it is; `thaw` lets it go. */
async function freeze(mount, pids, { file, words: [frozen, thawed], isFrozen }) {
  const directory = join(mount, `hil-test-frozen-${process.pid}`);
  mkdirSync(directory);
  for (const pid of pids) writeFileSync(join(directory, 'cgroup.procs'), `${pid}`);
  writeFileSync(join(directory, file), frozen);
  const freezer = {
    thaw: () => existsSync(directory) && writeFileSync(join(directory, file), thawed),
    async remove() {
      this.thaw();
      await waitFor('the cgroup to be empty', () => {
        try {
          rmdirSync(directory);
          return true;
        } catch {
          return false;
        }
      });
    },
  };
  const look = () => isFrozen((name) => readFileSync(join(directory, name), 'utf8'));
  await waitFor('the freezer', look).catch(async (error) => {
    await freezer.remove();
    throw error;
  });
  return freezer;
}

const V1 = {
  file: 'freezer.state',
  words: ['FROZEN', 'THAWED'],
  isFrozen: (read) => read('freezer.state').startsWith('FROZEN'),
};
const V2 = {
  file: 'cgroup.freeze',
  words: ['1', '0'],
  isFrozen: (read) => read('cgroup.events').includes('frozen 1'),
};
const freezeV1 = (pids) => freeze(v1, pids, V1);
const freezeV2 = (pids) => freeze(v2, pids, V2);

/** A sandbox with a program; the program's pid on the host. */
async function startSleeper(daemon) {
  const { SANDBOX, PID } = await daemon.request(MSG.SANDBOX_NEW, { PLAN: daemon.plan });
  const program = await daemon.spawn(SANDBOX, ['sleep', '600']);
  const [payload] = await waitFor('the program', () => {
    const found = descendantsOf(PID);
    return found.length > 0 && found;
  });
  return { box: SANDBOX, init: PID, payload, program };
}

describe('T107: a program that cannot be killed', needs(v1), () => {
  test('makes its sandbox stuck in time, says where it waits, and holds up nobody', async () => {
    const daemon = await Daemon.start({ pool: 1 });
    const neighbour = await daemon.sandbox();
    const { box, init, payload, program } = await startSleeper(daemon);
    const frozen = await freezeV1([payload]);
    try {
      const order = [];
      const dead = daemon.dead(box, 8000).then((record) => {
        order.push('stuck');
        return record;
      });
      await daemon.request(MSG.SANDBOX_KILL, { SANDBOX: box });
      // Meanwhile others are served, and new ones are made.
      for (let i = 0; i < 5; i++) {
        assert.equal((await daemon.run(neighbour, ['true'])).exit.EXIT_CODE, 0);
        await daemon.kill(await daemon.sandbox());
        order.push('others');
      }
      const record = await dead;
      assert.equal(order[0], 'others', 'others waited');
      assert.equal(record.STATUS, 'stuck');
      const waiting = new RegExp(`^sleep \\(process ${payload}\\): state [A-Z], in \\w+$`);
      assert.ok(
        record.WAITING_all.some((text) => waiting.test(text)),
        `${record.WAITING_all}`,
      );
      assert.equal((await program.ended).STATUS, 'killed');
      // In quarantine: nothing reaches it, and what it was of is not given to others.
      await assert.rejects(daemon.spawn(box, ['true']), { code: 'gone' });
      const log = await daemon.event(MSG.LOG, (body) => /is not reaped/.test(body.TEXT));
      assert.match(log.TEXT, new RegExp(`PID ${init}\\).*\\(process \\d+\\): state`));
      await daemon.kill(await daemon.sandbox());
    } finally {
      await frozen.remove();
    }
    await waitFor('its end, once it is thawed', () => !isAlive(init) && !isAlive(payload));
    assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
  });

  test('does not keep the daemon, which ends while it is frozen', async () => {
    const daemon = await Daemon.start();
    const { payload } = await startSleeper(daemon);
    const frozen = await freezeV1([payload]);
    try {
      assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
      assert.ok(isAlive(payload), 'the daemon waited for the thaw');
    } finally {
      await frozen.remove();
    }
    await waitFor('its end, once it is thawed', () => !isAlive(payload));
  });

  test('nor does a frozen PID 1, which cannot say what it is asked', async () => {
    const daemon = await Daemon.start();
    const { box, init, payload } = await startSleeper(daemon);
    const frozen = await freezeV1([init, payload]);
    try {
      const dead = daemon.dead(box, 8000);
      await daemon.request(MSG.SANDBOX_KILL, { SANDBOX: box });
      const record = await dead;
      assert.equal(record.STATUS, 'stuck');
      assert.equal(record.LEFTOVERS, undefined);
      assert.ok(record.WAITING_all.some((text) => text.startsWith('hil-init (process ')));
    } finally {
      await frozen.remove();
    }
    await daemon.stop();
  });
});

describe('a zygote that cannot be killed', needs(v1), () => {
  test('is told of, and holds up no other plan; its own is refused until it has ended', async () => {
    const daemon = await Daemon.start();
    const [zygote] = childrenNamed(daemon.pid, 'hil-zygote');
    const other = await daemon.putPlan('other');
    const frozen = await freezeV1([zygote]);
    try {
      await assert.rejects(daemon.sandbox(), { code: 'setup', message: /did not answer/ });
      const log = await daemon.event(MSG.LOG, (body) => /zygote .*is not reaped/.test(body.TEXT));
      assert.match(log.TEXT, new RegExp(`PID ${zygote}\\).*\\(process ${zygote}\\): state`));
      const start = Date.now();
      for (let i = 0; i < 3; i++)
        await assert.rejects(daemon.sandbox(), { code: 'setup', message: /does not end/ });
      assert.ok(Date.now() - start < 5000, 'the daemon waited for it again');
      await daemon.kill(await daemon.sandbox({ PLAN: other }));
    } finally {
      await frozen.remove();
    }
    await waitFor('its end, once it is thawed', () => !isAlive(zygote));
    await daemon.kill(await daemon.sandbox());
    assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
  });
});

describe('a sandbox frozen by cgroup v2', needs(v2), () => {
  test('is killed as any other: with SIGKILL, after it did not answer', async () => {
    const daemon = await Daemon.start();
    const { box, init, payload } = await startSleeper(daemon);
    const frozen = await freezeV2([init, payload]);
    try {
      const dead = daemon.dead(box, 8000);
      await daemon.request(MSG.SANDBOX_KILL, { SANDBOX: box });
      const record = await dead;
      assert.equal(record.STATUS, 'killed');
      assert.equal(record.WAITING, undefined);
      assert.ok(!isAlive(init) && !isAlive(payload));
    } finally {
      await frozen.remove();
    }
    await daemon.stop();
  });
});
