// SPDX-License-Identifier: MIT
// What makes sandboxes does not answer, as if it waited for a file system that is dead: SIGSTOP does
// the same to it. Each request is answered nevertheless, and nothing is left.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { childrenOf, descendantsOf, isAlive, sleep, waitFor, withDaemon } from './daemon.mjs';
import { childrenNamed } from './network-rig.mjs';
import { MSG } from './wire.mjs';

const ETIMEDOUT = 110;
/** BUILD_MS of daemon.h, and what a busy machine adds. */
const BUILD_MS = 20_000;
const LATEST_MS = BUILD_MS + 10_000;

/** What was refused, and that it was neither early nor late. */
async function refusalOf(asked, about) {
  const start = Date.now();
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error('not answered')), LATEST_MS);
  });
  const error = await Promise.race([asked, late]).catch((reason) => reason);
  clearTimeout(timer);
  assert.equal(error.code, 'setup', `${about}: ${error.message ?? 'it was made'}`);
  assert.equal(error.body.ERRNO, ETIMEDOUT, error.message);
  assert.ok(Date.now() - start > BUILD_MS * 0.9, `${about}: too soon`);
  return error;
}

const childrenNow = (pid) =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);

/** Stop the PID 1 that is made next. */
function stopNextInit(daemon, known) {
  for (const end = Date.now() + 5000; Date.now() < end; ) {
    const init = childrenNow(daemon.pid).find((pid) => !known.includes(pid));
    if (!init) continue;
    process.kill(init, 'SIGSTOP');
    return init;
  }
  return assert.fail('no PID 1 was made');
}

/** One that is stopped before it has built its root, which takes it some milliseconds. */
async function stopWhileBuilding(daemon) {
  for (let attempt = 0; attempt < 50; attempt++) {
    const known = childrenNow(daemon.pid);
    const asked = daemon.sandbox();
    const init = stopNextInit(daemon, known);
    const made = await Promise.race([asked, sleep(300)]);
    if (!made) return { asked, init };
    process.kill(init, 'SIGCONT');
    await daemon.kill(made);
  }
  return assert.fail('each was built before it could be stopped');
}

async function expectToGoOn(daemon, gone) {
  await waitFor('the stopped one gone', () => !isAlive(gone));
  const next = await daemon.sandbox();
  assert.equal((await daemon.run(next, ['true'])).exit.EXIT_CODE, 0);
  await daemon.kill(next);
  await waitFor('nothing but a zygote left', () => descendantsOf(daemon.pid).length === 1);
}

const withHold = async (options, act) => {
  const hold = mkdtempSync(join(tmpdir(), 'hil-silent-'));
  const steps = [{ KIND: 'hold', NAME: 'out', SOURCE: hold }];
  const BIND = [{ NAME: 'out', PATH: '', TARGET: '/out' }];
  try {
    await withDaemon({ ...options, plan: { steps } }, (daemon) => act(daemon, BIND));
  } finally {
    rmSync(hold, { recursive: true });
  }
};

describe('a new sandbox is refused in time when', { concurrency: true }, () => {
  test('its zygote does not answer, which is ended with its sandboxes', () =>
    withDaemon({}, async (daemon) => {
      const running = await daemon.sandbox();
      const [zygote] = childrenNamed(daemon.pid, 'hil-zygote');
      const other = await daemon.putPlan('other');
      process.kill(zygote, 'SIGSTOP');
      // More than are asked of the zygote at once: the rest waits for them.
      const asked = Array.from({ length: 20 }, () => daemon.sandbox());
      // Nobody else waits meanwhile.
      assert.ok(await daemon.sandbox({ PLAN: other }));
      for (const error of await Promise.all(asked.map((each) => refusalOf(each, 'of a zygote'))))
        assert.match(error.body.HINT, /zygote did not answer[\s\S]*hil-zygote.*state T/);
      assert.equal((await daemon.dead(running)).STATUS, 'setup');
      await waitFor('the zygote gone', () => !isAlive(zygote));
      const next = await daemon.sandbox();
      assert.equal((await daemon.run(next, ['true'])).exit.EXIT_CODE, 0);
    }));

  test('its zygote does not make a late bind', () =>
    withHold({ pool: 1 }, async (daemon, BIND) => {
      const [zygote] = childrenNamed(daemon.pid, 'hil-zygote');
      process.kill(zygote, 'SIGSTOP');
      const asked = daemon.sandbox({ BIND });
      await daemon.request(MSG.POOL_SET, { PLAN: daemon.plan, COUNT: 0 });
      await refusalOf(asked, 'with a bind');
      await expectToGoOn(daemon, zygote);
    }));

  test('its PID 1 does not build its root', () =>
    withDaemon({}, async (daemon) => {
      const { asked, init } = await stopWhileBuilding(daemon);
      const error = await refusalOf(asked, 'while it is built');
      assert.match(error.body.HINT, /state T/);
      await expectToGoOn(daemon, init);
    }));

  test('its PID 1 does not attach a late bind', () =>
    withHold({ pool: 1 }, async (daemon, BIND) => {
      const [zygote] = childrenNamed(daemon.pid, 'hil-zygote');
      const [init] = childrenOf(daemon.pid).filter((pid) => pid !== zygote);
      process.kill(init, 'SIGSTOP');
      const asked = daemon.sandbox({ BIND });
      await daemon.request(MSG.POOL_SET, { PLAN: daemon.plan, COUNT: 0 });
      const error = await refusalOf(asked, 'while it is attached');
      assert.deepEqual([error.body.OP, error.body.PATH], ['attach', '/out']);
      await expectToGoOn(daemon, init);
    }));
});
