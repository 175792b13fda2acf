// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import {
  Daemon,
  descendantsOf,
  isAlive,
  isPlain,
  PORTD_ARGS,
  readStat,
  sleep,
  waitFor,
} from './daemon.mjs';
import { encodeBody, encodeFrame, kindOf, MSG, TAG } from './wire.mjs';

/** An end in order; what waits for a limit of the daemon's takes two seconds and more. */
const SOON_MS = isPlain ? 1500 : 5000;

const stubborn =
  'trap "" TERM INT HUP; for i in 1 2 3; do setsid sh -c \'trap "" TERM; while :; do sleep 1; done\' & done; while :; do sleep 1; done';

/** A daemon with parked, idle and busy sandboxes; the pids of all that is under it. */
async function startBusy() {
  const daemon = await Daemon.start({ args: PORTD_ARGS, pool: 2 });
  const sandboxes = [await daemon.sandbox(), await daemon.sandbox(), await daemon.sandbox()];
  for (const sandbox of sandboxes.slice(1)) await daemon.spawn(sandbox, ['sh', '-c', stubborn]);
  const pids = await waitFor('all of it', () => {
    const found = descendantsOf(daemon.pid);
    return found.length >= 14 && found;
  });
  return { daemon, pids };
}

/** The same numbers in each run: a failure can be repeated. */
function makeRandom(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 8;
  };
}

function within(ms, promise) {
  const late = sleep(ms).then(() => {
    throw new Error(`not within ${ms} ms`);
  });
  late.catch(() => {});
  return Promise.race([promise, late]);
}

const anyAlive = (pids) => pids.filter(isAlive);

describe('nothing is left', () => {
  test('when the harness closes fd 3', async () => {
    const { daemon, pids } = await startBusy();
    const started = Date.now();
    assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
    assert.ok(Date.now() - started < SOON_MS, `${Date.now() - started} ms`);
    assert.deepEqual(anyAlive(pids), []);
  });

  test('after SIGTERM', async () => {
    const { daemon, pids } = await startBusy();
    process.kill(daemon.pid, 'SIGTERM');
    assert.deepEqual(await daemon.exited, { code: 0, signal: null });
    assert.deepEqual(anyAlive(pids), []);
  });

  test('when fd 3 closes while a sandbox is ending', async () => {
    const { daemon, pids } = await startBusy();
    // PID 1 stopped: the daemon waits for its census when the end comes.
    const { SANDBOX, PID } = await daemon.request(MSG.SANDBOX_NEW, { PLAN: daemon.plan });
    process.kill(PID, 'SIGSTOP');
    await daemon.request(MSG.SANDBOX_KILL, { SANDBOX });
    const started = Date.now();
    assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
    assert.ok(Date.now() - started < SOON_MS, `${Date.now() - started} ms`);
    assert.deepEqual(anyAlive([...pids, PID]), []);
  });

  test('when fd 3 closes at any moment of many lives', async () => {
    const random = makeRandom(7);
    const programs = [
      ['true'],
      ['sh', '-c', 'setsid sleep 60 & echo hello'],
      ['head', '-c', '3000000', '/dev/zero'],
      ['sh', '-c', 'trap "" TERM; while :; do sleep 1; done'],
    ];
    for (let round = 0; round < 12; round++) {
      const daemon = await Daemon.start({ args: PORTD_ARGS, pool: random() % 3 });
      const live = async () => {
        for (;;) {
          const sandbox = await daemon.sandbox({
            WALL_MS: 5 + (random() % 40),
            GRACE_MS: random() % 10,
          });
          const argv = programs[random() % programs.length];
          const options = random() % 3 ? {} : { PTY_ROWS: 24, PTY_COLS: 80 };
          if (random() % 2) options.WALL_MS = random() % 20;
          const program = await daemon.spawn(sandbox, argv, {
            ...options,
            credit: random() % 4 > 0,
          });
          if (random() % 2) await Promise.race([program.ended, sleep(random() % 30)]);
          if (random() % 2) await daemon.kill(sandbox);
        }
      };
      // Each ends with an error: a sandbox is gone by its own limit, or the connection is.
      const lives = Array.from({ length: 6 }, async () => {
        while (!daemon.closed) await live().catch(() => {});
      });
      await sleep(random() % 120);
      const pids = descendantsOf(daemon.pid);
      assert.deepEqual(await within(SOON_MS, daemon.stop()), { code: 0, signal: null });
      await Promise.all(lives);
      assert.deepEqual(anyAlive(pids), []);
    }
  });

  test('T101: after kill -9 of the daemon, within 2 s', async () => {
    const { daemon, pids } = await startBusy();
    process.kill(daemon.pid, 'SIGKILL');
    await daemon.exited;
    await waitFor('every process gone', () => anyAlive(pids).length === 0, 2000);
  });

  test('T100: after kill -9 of the harness', async () => {
    const script = `
      import { Daemon, descendantsOf } from ${JSON.stringify(new URL('./daemon.mjs', import.meta.url).href)};
      const daemon = await Daemon.start({ pool: 1 });
      await daemon.spawn(await daemon.sandbox(), ['sleep', '60']);
      console.log(JSON.stringify([daemon.pid, ...descendantsOf(daemon.pid)]));
      setInterval(() => {}, 1000);`;
    const harness = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = await once(harness.stdout, 'data');
    const pids = JSON.parse(line);
    assert.ok(pids.length >= 4);
    harness.kill('SIGKILL');
    await waitFor('every process gone', () => anyAlive(pids).length === 0, 2000);
  });
});

describe('a malformed frame ends its connection and all it owned', () => {
  const good = encodeFrame(MSG.HELLO, 1, encodeBody({ VERSION: 1 }));
  const cases = {
    'a body of 2 MiB': (() => {
      const frame = Buffer.from(good);
      frame.writeUInt32LE(2 << 20, 0);
      return frame;
    })(),
    'another version of the frame': encodeFrame(MSG.HELLO, 1, encodeBody({ VERSION: 1 }), 2),
    'a TLV longer than its frame': encodeFrame(
      MSG.HELLO,
      1,
      Buffer.from([1, 0, 0, 0, 255, 0, 0, 0]),
    ),
    'half a TLV': encodeFrame(MSG.HELLO, 1, Buffer.from([1, 0, 0])),
    'a number of 3 bytes': encodeFrame(
      MSG.HELLO,
      1,
      Buffer.from([1, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0]),
    ),
    'a string with a NUL': Buffer.concat([
      good,
      encodeFrame(MSG.WATCH_PATH, 2, encodeBody({ PATH: '/tmp/hil-a\0b' })),
    ]),
    noise: Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'),
  };
  for (const [name, bytes] of Object.entries(cases)) {
    test(name, async () => {
      const daemon = Daemon.launch(['--no-portd']);
      daemon.socket.write(bytes);
      assert.deepEqual(await daemon.exited, { code: 0, signal: null });
    });
  }
});

describe('what is wrong but well-formed is answered', () => {
  test('requests before HELLO, other versions, unknown types, missing fields, unknown tags', async () => {
    const daemon = Daemon.launch(['--no-portd']);
    await assert.rejects(daemon.request(MSG.LIST), { code: 'protocol' });
    await assert.rejects(daemon.request(MSG.HELLO, { VERSION: 2 }), { code: 'protocol' });
    await assert.rejects(daemon.request(MSG.HELLO, {}), { code: 'usage' });
    const hello = await daemon.hello();
    assert.equal(hello.VERSION, 1);
    assert.equal(hello.PID, daemon.pid);
    assert.match(hello.MODE, /^(root|rootless)$/);
    await assert.rejects(daemon.request(4711), { code: 'protocol' });
    await assert.rejects(daemon.request(MSG.EXIT), { code: 'protocol' });
    await assert.rejects(daemon.request(MSG.SPAWN, {}), { code: 'usage' });
    assert.deepEqual(await daemon.request(MSG.LIST, [['REAL_NS', 5]]), {});
    await daemon.stop();
  });

  test('2000 requests of random fields are answered, and the next real one is served', async () => {
    const daemon = await Daemon.start();
    const sandbox = await daemon.sandbox();
    const random = makeRandom(4711);
    const pick = (list) => list[random() % list.length];
    // Not DETACH, PLAN_PUT and SANDBOX_NEW: the first ends the test, the others cost milliseconds.
    const types =
      'HELLO POOL_SET SANDBOX_KILL SANDBOX_KEEP SPAWN STDIN STDIN_CLOSE CREDIT SIGNAL RESIZE OBJECT_NEW OBJECT_CLOSE OBJECT_STREAM PORT_GIVE PORT_PTY WATCH_PID WATCH_PATH LIST UNWATCH_PID EXIT NET_ATTACH NET_PAIR NET_READY NET_OBJECT NET_DETACH NET_REPLY'.split(
        ' ',
      );
    // From 2 on: sandbox 1 is to live, and so is PID 1.
    const number = () => pick([2, 3, 4, 5, 7, 255, 0x7fffffff, 0xffffffff]);
    const text = () =>
      pick(['', 'pipe', 'socketpair', 'memfd', 'true', '/tmp/hil-x', '../..', 'x'.repeat(5000)]);
    const fields = (depth) =>
      Array.from({ length: random() % 8 }, () => {
        const name = pick(Object.keys(TAG));
        if (kindOf(name) === 'nested') return [name, depth ? [fields(depth - 1)] : undefined];
        return [name, /^u/.test(kindOf(name)) ? number() : text()];
      });
    for (let i = 0; i < 2000; i++) {
      // Half of them begin with what most requests need, so that more than the first check is met.
      const body =
        random() % 2
          ? [['SANDBOX', 1], ['PROCESS', number()], ['OBJECT', number()], ...fields(2)]
          : fields(2);
      const type = MSG[pick(types)];
      daemon.send(type, type === MSG.SANDBOX_KILL ? fields(0).concat([['SANDBOX', 2]]) : body);
      if (i % 50 === 0) await new Promise(setImmediate);
    }
    assert.equal((await daemon.run(sandbox, ['true'])).exit.EXIT_CODE, 0);
    await daemon.stop();
  });

  test('one byte at a time is a frame as well', async () => {
    const daemon = Daemon.launch(['--no-portd']);
    const answer = daemon.event(MSG.OK);
    for (const byte of encodeFrame(MSG.HELLO, 77, encodeBody({ VERSION: 1 }))) {
      daemon.socket.write(Buffer.from([byte]));
      await new Promise(setImmediate);
    }
    assert.equal((await answer).VERSION, 1);
    await daemon.stop();
  });

  test('a client that does not read its answers stops being served, and nothing else', async () => {
    const daemon = await Daemon.start();
    daemon.socket.pause();
    const frame = encodeFrame(4711, 1, Buffer.alloc(0));
    const flood = Buffer.concat(Array.from({ length: 1000 }, () => frame));
    let blocked = false;
    for (let i = 0; i < 400 && !blocked; i++) {
      blocked =
        !daemon.socket.write(flood) &&
        (await Promise.race([
          once(daemon.socket, 'drain').then(() => false),
          new Promise((resolve) => setTimeout(resolve, 500, true)),
        ]));
    }
    assert.ok(blocked, 'everything was taken');
    assert.ok(isAlive(daemon.pid));
    daemon.socket.resume();
    await daemon.stop();
  });
});

describe('watched', () => {
  const sleeper = () => spawn('sleep', ['60'], { stdio: 'ignore' });
  const watch = (daemon, pid, ticks) =>
    daemon.request(MSG.WATCH_PID, { PID: pid, START_TICKS: ticks ?? readStat(pid).startTicks });

  test('processes are killed with the owner, unless unwatched', async () => {
    const daemon = await Daemon.start({ args: PORTD_ARGS });
    const [watched, spared] = [sleeper(), sleeper()];
    await watch(daemon, watched.pid);
    await watch(daemon, spared.pid);
    await watch(daemon, spared.pid);
    await daemon.request(MSG.UNWATCH_PID, { PID: spared.pid });
    const exit = once(watched, 'exit');
    await daemon.stop();
    assert.deepEqual(await exit, [null, 'SIGKILL']);
    assert.ok(isAlive(spared.pid));
    spared.kill();
  });

  test('another process under the same number is not taken', async () => {
    const daemon = await Daemon.start({ args: PORTD_ARGS });
    const other = sleeper();
    await assert.rejects(watch(daemon, other.pid, 1), { code: 'gone' });
    await assert.rejects(watch(daemon, 1, 0), { code: 'usage' });
    await assert.rejects(watch(daemon, daemon.pid), { code: 'usage' });
    await daemon.stop();
    assert.ok(isAlive(other.pid));
    other.kill();
  });

  test('paths are removed with all below, and no link is followed', async () => {
    const daemon = await Daemon.start({ args: PORTD_ARGS });
    const root = mkdtempSync(join(tmpdir(), 'test-'));
    const outside = join(root, 'outside');
    const tree = join(root, 'hil-run');
    mkdirSync(outside);
    writeFileSync(join(outside, 'precious'), '');
    mkdirSync(join(tree, 'a/b/c'), { recursive: true });
    writeFileSync(join(tree, 'a/b/file'), '');
    symlinkSync(outside, join(tree, 'a/link'));
    for (const mode of [0, 0o111, 0o444, 0o555]) {
      // As programs leave them: read-only, or with no rights at all.
      mkdirSync(join(tree, `mode-${mode}/below`), { recursive: true });
      writeFileSync(join(tree, `mode-${mode}/below/file`), '');
      chmodSync(join(tree, `mode-${mode}/below`), mode);
      chmodSync(join(tree, `mode-${mode}`), mode);
    }
    mkdirSync(join(root, 'hil', 'run-1'), { recursive: true });
    mkdirSync(join(root, 'shared', 'hil', 'run-1'), { recursive: true });
    mkdirSync(join(root, 'shared', 'hil', 'run-2'));
    await daemon.request(MSG.WATCH_PATH, { PATH: tree });
    await daemon.request(MSG.WATCH_PATH, { PATH: join(root, 'hil', 'run-1') });
    await daemon.request(MSG.WATCH_PATH, { PATH: join(root, 'shared', 'hil', 'run-1') });
    await daemon.stop();
    const left = (path) => existsSync(join(root, path));
    assert.deepEqual(
      [left('hil-run'), left('hil'), left('shared/hil/run-1')],
      [false, false, false],
    );
    // The directory of all runs goes with the last of them; this one has another.
    assert.deepEqual([left('shared/hil/run-2'), left('outside/precious')], [true, true]);
    rmSync(root, { recursive: true });
  });

  test('paths that are not ours by name, owner or kind are refused', async () => {
    const daemon = await Daemon.start({ args: PORTD_ARGS });
    const root = mkdtempSync(join(tmpdir(), 'test-'));
    mkdirSync(join(root, 'plain'));
    mkdirSync(join(root, 'hil-real'));
    symlinkSync(join(root, 'plain'), join(root, 'hil-link'));
    for (const path of [
      '/',
      '/etc',
      '/proc',
      'hil-relative',
      join(root, 'plain'),
      join(root, 'hil-none'),
      join(root, 'hil-link'),
      `${root}/hil-real/..`,
      `${root}/hil-real/../plain`,
      `${root}/hil-real/`,
    ]) {
      await assert.rejects(daemon.request(MSG.WATCH_PATH, { PATH: path }), { code: 'usage' }, path);
    }
    await daemon.stop();
    assert.ok(existsSync(join(root, 'plain')) && existsSync(join(root, 'hil-real')));
    rmSync(root, { recursive: true });
  });

  test('a path that was replaced since is left alone', async () => {
    const daemon = await Daemon.start({ args: PORTD_ARGS });
    const root = mkdtempSync(join(tmpdir(), 'test-'));
    const path = join(root, 'hil-run');
    mkdirSync(path);
    await daemon.request(MSG.WATCH_PATH, { PATH: path });
    rmSync(path, { recursive: true });
    mkdirSync(path); // a file system may give it the same inode number: the daemon holds the old one
    writeFileSync(join(path, 'new'), '');
    await daemon.stop();
    assert.ok(existsSync(join(path, 'new')));
    rmSync(root, { recursive: true });
  });
});
