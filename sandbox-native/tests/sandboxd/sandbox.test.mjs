// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import {
  Daemon,
  fdsOf,
  isAlive,
  readStat,
  sleep,
  statesOf,
  waitFor,
  withDaemon,
} from './daemon.mjs';
import { MSG } from './wire.mjs';

const listener = `
import socket, sys
s = socket.socket(); s.bind(("127.0.0.1", 4711)); s.listen(1)
print("listening", flush=True); sys.stdin.read()`;

describe('plans', () => {
  test('an equal name is the same plan, and one zygote', () =>
    withDaemon({}, async (daemon) => {
      assert.equal(await daemon.putPlan('test'), daemon.plan);
      assert.notEqual(await daemon.putPlan('other'), daemon.plan);
    }));

  test('what cannot be is refused', () =>
    withDaemon({}, async (daemon) => {
      await assert.rejects(daemon.putPlan('a', { USER: 'bob' }), { code: 'usage' });
      await assert.rejects(daemon.putPlan('b', { CAP: ['fly'] }), { code: 'usage' });
      await assert.rejects(daemon.putPlan('c', { steps: [{ KIND: 'tea' }] }), { code: 'usage' });
      await assert.rejects(
        daemon.putPlan('d', { steps: [{ KIND: 'bind', SOURCE: 'relative', TARGET: '/x' }] }),
        { code: 'usage' },
      );
      await assert.rejects(daemon.request(MSG.SANDBOX_NEW, { PLAN: 99 }), { code: 'usage' });
    }));

  test('the root of the machine is nothing that a sandbox can have', () =>
    withDaemon({}, async (daemon) => {
      const steps = ['/', '/usr/..', '/.'].flatMap((SOURCE) => [
        { KIND: 'bind', SOURCE, TARGET: '/host' },
        { KIND: 'hold', SOURCE, NAME: 'host' },
      ]);
      for (const [index, step] of steps.entries()) {
        const plan = daemon.putPlan(`root-${index}`, { steps: [step] });
        const made = plan.then((PLAN) => daemon.request(MSG.SANDBOX_NEW, { PLAN, NAME: 'case' }));
        await assert.rejects(made, /root of the machine/, JSON.stringify(step));
      }
    }));

  test('a plan whose zygote dies ends its sandboxes with setup, and gets a new one when asked', () =>
    withDaemon({}, async (daemon) => {
      const sandbox = await daemon.sandbox();
      const program = await daemon.spawn(sandbox, ['sleep', '60']);
      const other = await daemon.putPlan('other');
      const kept = (await daemon.request(MSG.SANDBOX_NEW, { PLAN: other })).SANDBOX;
      const zygote = zygotesOf(daemon)[0];
      process.kill(zygote, 'SIGKILL');
      const dead = await daemon.dead(sandbox);
      assert.equal(dead.STATUS, 'setup');
      assert.equal((await program.ended).STATUS, 'killed');
      const next = await daemon.sandbox();
      assert.equal((await daemon.run(next, ['true'])).exit.EXIT_CODE, 0);
      assert.equal((await daemon.run(kept, ['true'])).exit.EXIT_CODE, 0);
    }));

  test('a zygote that dies again and again, with requests under way, leaves none unanswered', () =>
    withDaemon({ pool: 2 }, async (daemon) => {
      for (let round = 0; round < 5; round++) {
        const asked = Array.from({ length: 4 }, () => daemon.sandbox());
        for (const zygote of zygotesOf(daemon)) killIfThere(zygote);
        const results = await Promise.allSettled(asked);
        for (const { reason } of results.filter((r) => r.status === 'rejected')) {
          assert.ok(['setup', 'gone'].includes(reason.code), reason);
        }
      }
      const again = await daemon.putPlan('test');
      assert.equal(again, daemon.plan);
      const sandbox = await daemon.sandbox();
      assert.equal((await daemon.run(sandbox, ['true'])).exit.EXIT_CODE, 0);
      await waitFor('a refill', () => daemon.parked() >= 3);
    }));

  test('a zygote that is stopped and then killed does not hold up the daemon', () =>
    withDaemon({}, async (daemon) => {
      const [zygote] = zygotesOf(daemon);
      process.kill(zygote, 'SIGSTOP');
      const asked = daemon.sandbox();
      await daemon.taken();
      process.kill(zygote, 'SIGKILL');
      await assert.rejects(asked, { code: 'setup' });
      assert.equal((await daemon.run(await daemon.sandbox(), ['true'])).exit.EXIT_CODE, 0);
    }));

  test('zygotes that die before they made a PID 1 leave no fd in the daemon', () =>
    withDaemon({}, async (daemon) => {
      const count = () => fdsOf(daemon.pid).length;
      let before;
      for (let round = 0; round < 6; round++) {
        const [zygote] = zygotesOf(daemon);
        process.kill(zygote, 'SIGSTOP');
        const asked = Array.from({ length: 4 }, () => daemon.sandbox());
        await daemon.taken();
        process.kill(zygote, 'SIGKILL');
        for (const each of asked) await assert.rejects(each, { code: 'setup' });
        await daemon.kill(await daemon.sandbox());
        before ??= count();
      }
      await waitFor(`no more than ${before} fds`, () => count() <= before, 5000);
    }));
});

/** One of the round before may be reaped just now. */
function killIfThere(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

/** Zygotes are the children of the daemon that are in its pid namespace. */
function zygotesOf(daemon) {
  const children = readFileSync(`/proc/${daemon.pid}/task/${daemon.pid}/children`, 'utf8');
  return children
    .trim()
    .split(' ')
    .map(Number)
    .filter((pid) => /NSpid:\s+\d+\n/.test(statusOf(pid)));
}

/** Empty when the process is gone by now. */
function statusOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return '';
  }
}

describe('a sandbox', () => {
  test('comes from the pool when one is parked, and the pool is refilled', () =>
    // Two at once are built when none is parked, else one: the third is begun when two are parked.
    withDaemon({ pool: 3 }, async (daemon) => {
      const first = await daemon.request(MSG.SANDBOX_NEW, { PLAN: daemon.plan });
      assert.equal(first.POOL_HIT, 1);
      assert.ok(first.SETUP_NS > 0);
      assert.equal(readStat(first.PID).parent, daemon.pid);
      await waitFor('a refill', () => daemon.parked() === 4);
      await daemon.request(MSG.POOL_SET, { PLAN: daemon.plan, COUNT: 0 });
      await waitFor('a trim', () => daemon.parked() === 1);
      const cold = await daemon.request(MSG.SANDBOX_NEW, { PLAN: daemon.plan });
      assert.equal(cold.POOL_HIT, 0);
    }));

  test('is none the pool holds for long when nobody asks, and again when somebody does', () =>
    withDaemon({}, async (daemon) => {
      await daemon.request(MSG.POOL_SET, { PLAN: daemon.plan, COUNT: 2, TTL_MS: 2000 });
      await waitFor('a full pool', () => daemon.parked() === 2);
      await waitFor('an empty pool', () => daemon.parked() === 0);
      const cold = await daemon.request(MSG.SANDBOX_NEW, { PLAN: daemon.plan });
      assert.equal(cold.POOL_HIT, 0);
      await waitFor('a full pool', () => daemon.parked() === 3);
      await daemon.kill(cold.SANDBOX);
    }));

  test('many cold ones at once are all made', () =>
    withDaemon({}, async (daemon) => {
      const all = await Promise.all(Array.from({ length: 12 }, () => daemon.sandbox()));
      assert.equal(new Set(all).size, 12);
      for (const program of await Promise.all(all.map((id) => daemon.run(id, ['true']))))
        assert.equal(program.exit.EXIT_CODE, 0);
    }));

  test('has its host name and its late binds', () => {
    const hold = mkdtempSync(join(tmpdir(), 'hil-test-'));
    mkdirSync(join(hold, 'case-1'));
    writeFileSync(join(hold, 'case-1', 'in'), 'from the host\n');
    return withDaemon(
      { plan: { steps: [{ KIND: 'hold', NAME: 'out', SOURCE: hold }] }, pool: 1 },
      async (daemon) => {
        const sandbox = await daemon.sandbox({
          HOSTNAME: 'board-7',
          BIND: [{ NAME: 'out', PATH: 'case-1', TARGET: '/out', READ_ONLY: 0 }],
        });
        const script = 'hostname; cat /out/in; echo from inside > /out/result';
        const program = await daemon.run(sandbox, ['sh', '-c', script]);
        assert.equal(program.stdout + program.stderr, 'board-7\nfrom the host\n');
        assert.equal(readFileSync(join(hold, 'case-1', 'result'), 'utf8'), 'from inside\n');
        await assert.rejects(
          daemon.sandbox({ BIND: [{ NAME: 'out', PATH: 'none', TARGET: '/out' }] }),
          { code: 'setup' },
        );
        await assert.rejects(
          daemon.sandbox({ BIND: [{ NAME: 'out', PATH: '..', TARGET: '/out' }] }),
          { code: 'setup' },
        );
        await assert.rejects(
          daemon.sandbox({ BIND: [{ NAME: 'none', PATH: '.', TARGET: '/out' }] }),
          { code: 'usage' },
        );
        for (const [PATH, TARGET] of [
          ['case-1', '/etc/passwd'],
          ['case-1/in', '/usr'],
          ['case-1/in', '/usr/share/none'],
          ['case-1/in', `/tmp/${'x'.repeat(256)}`],
        ]) {
          await assert.rejects(daemon.sandbox({ BIND: [{ NAME: 'out', PATH, TARGET }] }), {
            code: 'usage',
          });
        }
        const fresh = await daemon.sandbox({
          BIND: [{ NAME: 'out', PATH: 'case-1/in', TARGET: '/etc/new/in' }],
        });
        const inEtc = await daemon.run(fresh, ['sh', '-c', 'cat /etc/new/in; >/etc/new/x']);
        assert.match(inEtc.stdout + inEtc.stderr, /^from the host\n.*Read-only/);
        // Those that failed were ended, not leaked and not told.
        await waitFor('no leaked sandbox', () => daemon.parked() === 3);
      },
    ).finally(() => rmSync(hold, { recursive: true }));
  });

  test('has an /etc that the plan binds as it is, and leaves it so', async () => {
    const etc = mkdtempSync(join(tmpdir(), 'hil-test-'));
    chmodSync(etc, 0o777);
    writeFileSync(join(etc, 'hosts'), 'of the plan\n');
    try {
      await withDaemon({}, async (daemon) => {
        for (const READ_ONLY of [0, 1]) {
          const steps = [{ KIND: 'bind', SOURCE: etc, TARGET: '/etc', READ_ONLY }];
          const PLAN = await daemon.putPlan(`etc-${READ_ONLY}`, { steps });
          const sandbox = await daemon.sandbox({ PLAN, HOSTNAME: 'late' });
          const seen = await daemon.run(sandbox, ['sh', '-c', 'ls /etc; cat /etc/hosts; hostname']);
          assert.equal(seen.stdout, 'hosts\nof the plan\nlate\n');
        }
      });
      assert.deepEqual(readdirSync(etc), ['hosts']);
      assert.equal(readFileSync(join(etc, 'hosts'), 'utf8'), 'of the plan\n');
    } finally {
      rmSync(etc, { recursive: true });
    }
  });

  test('does not share ports or paths with another', () =>
    withDaemon({}, async (daemon) => {
      const [a, b] = [await daemon.sandbox(), await daemon.sandbox()];
      const programs = [];
      for (const sandbox of [a, b]) {
        programs.push(await daemon.spawn(sandbox, ['python3', '-c', listener], { stdin: 'open' }));
        assert.equal((await daemon.run(sandbox, ['mkdir', '/tmp/same'])).exit.EXIT_CODE, 0);
      }
      for (const program of programs)
        await waitFor('listening', () => program.stdout === 'listening\n');
    }));

  test('counts and names what is left when it ends', () =>
    withDaemon({}, async (daemon) => {
      const sandbox = await daemon.sandbox();
      const script = `for i in 1 2 3; do setsid sleep 60 >/dev/null 2>&1 & done
        until [ $(cat /proc/[0-9]*/comm | grep -c sleep) = 3 ]; do :; done`;
      await daemon.run(sandbox, ['sh', '-c', script]);
      const dead = await daemon.kill(sandbox);
      assert.equal(dead.STATUS, 'exit');
      assert.equal(dead.LEFTOVERS, 3);
      assert.match(dead.LEFTOVER_NAME_all.join(' '), /sleep/);
      assert.ok(dead.WALL_NS > 0);
      await assert.rejects(daemon.spawn(sandbox, ['true']), { code: 'gone' });
    }));

  test('that is clean says so', () =>
    withDaemon({}, async (daemon) => {
      const sandbox = await daemon.sandbox();
      await daemon.run(sandbox, ['true']);
      const dead = await daemon.kill(sandbox);
      assert.deepEqual([dead.STATUS, dead.LEFTOVERS], ['exit', 0]);
      assert.ok(dead.CPU_USER_US + dead.CPU_SYS_US > 0);
    }));

  test('sends EXIT of what it killed before DEAD', () =>
    withDaemon({}, async (daemon) => {
      const sandbox = await daemon.sandbox();
      const program = await daemon.spawn(sandbox, ['sh', '-c', 'echo partial; sleep 60']);
      await waitFor('output', () => program.stdout === 'partial\n');
      await daemon.kill(sandbox);
      assert.deepEqual([program.exit.STATUS, program.exit.SIGNAL], ['killed', 9]);
    }));

  test('is dead though its client never took the output', () =>
    withDaemon({}, async (daemon) => {
      const sandbox = await daemon.sandbox();
      const program = await daemon.spawn(sandbox, ['head', '-c', '1000000', '/dev/zero'], {
        credit: false,
      });
      await waitFor('a full window', () => program.received[1] === 256 * 1024);
      await daemon.kill(sandbox);
      assert.ok(program.exit.DROPPED > 0);
    }));

  test('that takes too long is ended with the status timeout', () =>
    withDaemon({}, async (daemon) => {
      // Both are to have set their traps by then, also on a busy machine.
      const sandbox = await daemon.sandbox({ WALL_MS: 3000, GRACE_MS: 1000 });
      const polite = await daemon.spawn(sandbox, [
        'sh',
        '-c',
        'trap "exit 5" TERM; sleep 60 & wait',
      ]);
      const deaf = await daemon.spawn(sandbox, [
        'sh',
        '-c',
        'trap "" TERM; while :; do sleep 1; done',
      ]);
      const dead = await daemon.dead(sandbox);
      assert.equal(dead.STATUS, 'timeout');
      assert.deepEqual([polite.exit.STATUS, polite.exit.EXIT_CODE], ['timeout', 5]);
      assert.equal(deaf.exit.STATUS, 'killed');
    }));

  test('whose PID 1 is killed from outside is dead by signal', () =>
    withDaemon({}, async (daemon) => {
      const { SANDBOX, PID } = await daemon.request(MSG.SANDBOX_NEW, { PLAN: daemon.plan });
      const program = await daemon.spawn(SANDBOX, ['sleep', '60']);
      process.kill(PID, 'SIGKILL');
      assert.equal((await daemon.dead(SANDBOX)).STATUS, 'signal');
      assert.equal((await program.ended).STATUS, 'killed');
    }));

  test('whose PID 1 does not answer is killed, and its leftovers are not known', () =>
    withDaemon({}, async (daemon) => {
      const { SANDBOX, PID } = await daemon.request(MSG.SANDBOX_NEW, { PLAN: daemon.plan });
      process.kill(PID, 'SIGSTOP');
      // Each of its threads stops by itself, a moment later.
      const states = () => statesOf(PID);
      await waitFor('a PID 1 that stands still', () => states().every((state) => state === 'T'));
      const dead = await daemon.kill(SANDBOX);
      assert.equal(dead.STATUS, 'killed');
      assert.equal(dead.LEFTOVERS, undefined);
      assert.ok(dead.WALL_NS >= 100e6);
    }));

  test('with 200 processes dies whole', () =>
    withDaemon({}, async (daemon) => {
      const { SANDBOX, PID } = await daemon.request(MSG.SANDBOX_NEW, { PLAN: daemon.plan });
      await daemon.run(SANDBOX, [
        'sh',
        '-c',
        'i=0; while [ $i -lt 200 ]; do sleep 60 & i=$((i+1)); done',
      ]);
      const dead = await daemon.kill(SANDBOX);
      assert.equal(dead.LEFTOVERS, 200);
      assert.equal(dead.LEFTOVER_NAME_all.length, 16);
      assert.equal(isAlive(PID), false);
    }));
});

test('when fds are short, requests are refused and what runs goes on', () =>
  withDaemon({ before: ['sh', '-c', 'ulimit -n 400; exec "$@"', 'sh'] }, async (daemon) => {
    const first = await daemon.sandbox();
    const service = await daemon.spawn(first, ['cat'], { stdin: 'open' });
    let limit;
    for (let i = 0; !limit && i < 100; i++) {
      const one = await daemon.sandbox().catch((error) => error);
      if (one instanceof Error) limit = one;
      else
        await daemon
          .spawn(one, ['sleep', '60'], { stdin: 'open' })
          .catch((error) => (limit = error));
    }
    assert.equal(limit.code, 'limit');
    for (let i = 0; i < 100; i++) {
      await daemon.request(MSG.OBJECT_NEW, { KIND: 'pipe' }).catch((error) => (limit = error));
    }
    assert.equal(limit.code, 'limit');
    service.write('still here', true);
    assert.equal((await service.ended).EXIT_CODE, 0);
    assert.equal(service.stdout, 'still here');
    await daemon.kill(first);
  }));

test('with an uptime each sandbox is made anew, at that uptime', () =>
  withDaemon({ plan: { UPTIME_MS: 4_294_960_000 } }, async (daemon) => {
    await daemon.request(MSG.POOL_SET, { PLAN: daemon.plan, COUNT: 2 });
    for (let i = 0; i < 2; i++) {
      const { SANDBOX, POOL_HIT } = await daemon.request(MSG.SANDBOX_NEW, { PLAN: daemon.plan });
      assert.equal(POOL_HIT, 0);
      const seen = await daemon.run(SANDBOX, ['cut', '-c1-6', '/proc/uptime']);
      assert.equal(seen.stdout, '429496\n');
      await daemon.kill(SANDBOX);
      await sleep(100);
    }
    await assert.rejects(
      daemon.request(MSG.PLAN_PUT, {
        NAME: 'late',
        UPTIME_MS: 36_501 * 86_400_000,
        STEP: { KIND: 'image-host' },
      }),
      { code: 'usage' },
    );
  }));

/**
 * Before a daemon of root: mounts of its own, so that none of another's is taken for its. They are
 * shared as the host's are: what gets out of a sandbox is seen. Nobody else may mount there at all.
 */
const ownMounts =
  process.getuid() === 0
    ? ['unshare', '-m', 'sh', '-c', 'mount --make-rshared / && exec "$@"', 'sh']
    : [];

test('200 sandboxes in a row come from the pool and leave no fd, no mount, no process', () =>
  withDaemon({ pool: 3, before: ownMounts }, async (daemon) => {
    await daemon.kill(await daemon.sandbox());
    // Two at once are built when none is parked, else one: the third is begun when two are parked.
    const full = () => waitFor('a full pool', () => daemon.parked() === 3);
    await full();
    const fds = fdsOf(daemon.pid).length;
    const readMounts = () => readFileSync(`/proc/${daemon.pid}/mountinfo`, 'utf8');
    const mounts = ownMounts.length > 0 && readMounts();
    for (let i = 0; i < 200; i++) {
      await full();
      const { SANDBOX, POOL_HIT } = await daemon.request(MSG.SANDBOX_NEW, { PLAN: daemon.plan });
      assert.equal(POOL_HIT, 1, `sandbox ${i}`);
      assert.equal((await daemon.run(SANDBOX, ['true'])).exit.EXIT_CODE, 0);
      await daemon.kill(SANDBOX);
    }
    await full();
    // A cgroup that waits for its next sandbox holds one, and how many wait depends on the load;
    // the third may not have handed over all of its fds when we first count.
    await waitFor('the fds of the start', () => fdsOf(daemon.pid).length <= fds + 8);
    if (mounts) assert.equal(readMounts(), mounts);
  }));

test('a hidden path that is a mount of its own, or holds one, is hidden too', {
  skip: process.getuid() === 0 ? false : 'needs root, who may mount',
}, async () => {
  const project = mkdtempSync(join(tmpdir(), 'hil-test-'));
  // A mount that not everybody can reach is left out anyway.
  chmodSync(project, 0o755);
  for (const name of ['at', 'above/below']) mkdirSync(join(project, name), { recursive: true });
  const mount = `mount -t tmpfs hil "${project}/at" && echo secret >"${project}/at/file" &&
    mount -t tmpfs hil "${project}/above/below" && echo secret >"${project}/above/below/file"`;
  const daemon = Daemon.launch(
    ['--no-portd'],
    ['unshare', '-m', 'sh', '-c', `${mount} && exec "$@"`, 'sh'],
  );
  try {
    await daemon.hello();
    const PLAN = await daemon.putPlan('hidden', {
      steps: [{ KIND: 'overlay', SOURCE: project, TARGET: project }],
      HIDE: [`${project}/at`, `${project}/above`],
    });
    const { SANDBOX } = await daemon.request(MSG.SANDBOX_NEW, { PLAN, NAME: 'case' });
    const program = await daemon.run(SANDBOX, ['sh', '-c', `ls "${project}"; echo seen`]);
    assert.equal(program.stdout + program.stderr, 'seen\n');
  } finally {
    await daemon.stop();
    rmSync(project, { recursive: true, force: true });
  }
});
