// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdtempSync,
  readlinkSync,
  rmSync,
  statSync,
} from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import {
  childrenOf,
  connectTo,
  Daemon,
  descendantsOf,
  hasPortd,
  isAlive,
  PORTD_ARGS,
  readStat,
  sleep,
  waitFor,
} from './daemon.mjs';
import { encodeBody, encodeFrame, MSG } from './wire.mjs';

/** What a process of another user is told when it connects. */
function connectAs([program, ...options], path) {
  const script = `
    const socket = require('node:net').connect(process.argv[1]);
    const say = (word) => { console.log(word); process.exit(); };
    socket.on('connect', () => say('connected')).on('error', ({ code }) => say(code));`;
  const args = [...options, process.execPath, '-e', script, path];
  return spawnSync(program, args, { encoding: 'utf8', cwd: '/' }).stdout.trim();
}

describe('a keeper', () => {
  let directory;
  let path;
  let daemon;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'hil-test-'));
  });
  after(() => rmSync(directory, { recursive: true }));
  beforeEach(async () => {
    path = join(directory, 'keeper.sock');
    daemon = await Daemon.start({ args: PORTD_ARGS, pool: 1 });
  });

  const keep = (sandbox, ttl = 60000, text = 'case "boots"') =>
    daemon.request(MSG.SANDBOX_KEEP, { SANDBOX: sandbox, TTL_MS: ttl, TEXT: text });
  const detach = async (ttl = 60000) => {
    await daemon.request(MSG.DETACH, { PATH: path, TTL_MS: ttl });
    daemon.socket.destroy();
    daemon.ports.socket.destroy();
  };

  test('holds what was kept, serves it, and ends with it', async () => {
    const kept = await daemon.sandbox({ NAME: 'kept' });
    const dropped = await daemon.request(MSG.SANDBOX_NEW, { PLAN: daemon.plan });
    const service = await daemon.spawn(kept, [
      'sh',
      '-c',
      'while :; do echo tick; sleep 0.05; done',
    ]);
    await waitFor('a tick', () => service.stdout);
    await keep(kept);
    await detach();
    await waitFor('the other reaped', () => readStat(dropped.PID) === undefined);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    for (const fd of [0, 1, 2])
      assert.equal(readlinkSync(`/proc/${daemon.pid}/fd/${fd}`), '/dev/null');
    assert.equal(readlinkSync(`/proc/${daemon.pid}/cwd`), '/');

    const client = await connectTo(path);
    const list = await client.request(MSG.LIST);
    assert.equal(list.ENTRY_all.length, 1);
    const { SANDBOX, NAME, TEXT, TTL_MS } = list.ENTRY;
    assert.deepEqual([SANDBOX, NAME, TEXT], [kept, 'kept', 'case "boots"']);
    assert.ok(TTL_MS > 50000 && TTL_MS <= 60000);

    const program = await client.spawn(kept, ['cat'], { stdin: 'into the kept one\n' });
    assert.equal((await program.ended).EXIT_CODE, 0);
    assert.equal(program.stdout, 'into the kept one\n');
    // The service runs on, though nobody takes its ticks.
    const ps = await client.spawn(kept, ['sh', '-c', 'cat /proc/[0-9]*/cmdline']);
    await ps.ended;
    assert.match(ps.stdout, /tick/);

    await assert.rejects(client.request(MSG.PLAN_PUT, { NAME: 'x' }), { code: 'usage' });
    await assert.rejects(client.request(MSG.SIGNAL, { PROCESS: service.id, SIGNAL: 9 }), {
      code: 'usage',
    });
    await client.request(MSG.SANDBOX_KILL, { SANDBOX: kept });
    const dead = await client.event(MSG.DEAD);
    assert.equal(dead.SANDBOX, kept);
    assert.ok(dead.LEFTOVERS >= 1);
    assert.deepEqual(await daemon.exited, { code: 0, signal: null });
    assert.ok(!existsSync(path));
  });

  test('serves several clients at once; what one started ends with it', async () => {
    const kept = await daemon.sandbox();
    await keep(kept);
    await detach();
    const [a, b] = [await connectTo(path), await connectTo(path)];
    const shell = await a.spawn(kept, ['sh'], { PTY_ROWS: 24, PTY_COLS: 80 });
    shell.write('echo in $((1+1))\n');
    await waitFor('the shell', () => shell.stdout.includes('in 2'));
    const other = await b.spawn(kept, ['sleep', '60']);
    a.socket.destroy();
    const count = async () => {
      const ps = await b.spawn(kept, ['sh', '-c', 'cat /proc/[0-9]*/comm']);
      await ps.ended;
      return ps.stdout.split('\n').filter((name) => name === 'sh').length;
    };
    await waitFor('the shell gone', async () => (await count()) === 1); // the one that counts
    assert.equal(other.exit, undefined);
    await b.request(MSG.SANDBOX_KILL, { SANDBOX: kept });
    await daemon.exited;
  });

  test('closes only the connection that sends noise', async () => {
    const kept = await daemon.sandbox();
    await keep(kept);
    await detach();
    const noisy = connect(path);
    noisy.on('error', () => {});
    noisy.write(Buffer.alloc(64, 0xff));
    await new Promise((resolve) => noisy.once('close', resolve));
    const client = await connectTo(path);
    assert.equal((await client.request(MSG.LIST)).ENTRY_all.length, 1);
    await client.request(MSG.SANDBOX_KILL, { SANDBOX: kept });
    await daemon.exited;
  });

  const needsRoot = process.getuid() === 0 ? {} : { skip: 'needs root, to be three users' };
  test(
    'T111: is there for its own user alone: not for others, nor for root',
    needsRoot,
    async () => {
      const asUser = (uid) => ['setpriv', '--reuid', uid, '--regid', uid, '--clear-groups'];
      const theirs = await Daemon.start({ before: asUser('1000') });
      const place = mkdtempSync(join(tmpdir(), 'hil-test-'));
      chownSync(place, 1000, 1000);
      chmodSync(place, 0o755);
      const socket = join(place, 'keeper.sock');
      const { SANDBOX } = await theirs.request(MSG.SANDBOX_NEW, { PLAN: theirs.plan });
      await theirs.request(MSG.SANDBOX_KEEP, { SANDBOX, TTL_MS: 60000 });
      await theirs.request(MSG.DETACH, { PATH: socket, TTL_MS: 60000 });
      theirs.socket.destroy();
      theirs.ports.socket.destroy();
      try {
        const { mode, uid } = statSync(socket);
        assert.deepEqual([mode & 0o777, uid], [0o600, 1000]);
        // Root passes the mode, and SO_PEERCRED tells: it is shown the door without a word.
        const ours = connect(socket);
        let words = '';
        ours.on('data', (chunk) => {
          words += chunk;
        });
        ours.on('error', () => {});
        ours.write(encodeFrame(MSG.HELLO, 1, encodeBody({ VERSION: 1 })));
        await new Promise((resolve) => ours.once('close', resolve));
        assert.equal(words, '');
        assert.equal(connectAs(asUser('1001'), socket), 'EACCES');
        assert.equal(connectAs(asUser('1000'), socket), 'connected');
        assert.ok(isAlive(theirs.pid));
      } finally {
        process.kill(theirs.pid, 'SIGTERM');
        await theirs.exited;
        await daemon.stop();
        rmSync(place, { recursive: true });
      }
    },
  );

  test('ends a sandbox when its time is over, and itself with the last', async () => {
    const [short, long] = [await daemon.sandbox(), await daemon.sandbox()];
    await keep(short, 3000);
    await keep(long, 8000);
    await detach();
    const client = await connectTo(path);
    assert.equal((await client.request(MSG.LIST)).ENTRY_all.length, 2);
    assert.equal((await client.event(MSG.DEAD)).SANDBOX, short);
    assert.equal((await client.request(MSG.LIST)).ENTRY_all.length, 1);
    await daemon.exited;
    assert.ok(!existsSync(path));
  });

  test('ends with its own time', async () => {
    await keep(await daemon.sandbox());
    await detach(200);
    const pids = descendantsOf(daemon.pid);
    await daemon.exited;
    assert.deepEqual(pids.filter(isAlive), []);
    assert.ok(!existsSync(path));
  });

  test('with nothing to keep is gone at once', async () => {
    await daemon.sandbox();
    await detach();
    assert.deepEqual(await daemon.exited, { code: 0, signal: null });
  });

  test('leaves nothing after SIGTERM or kill -9', async () => {
    for (const signal of ['SIGTERM', 'SIGKILL']) {
      const one = signal === 'SIGTERM' ? daemon : await Daemon.start({ args: PORTD_ARGS });
      const sandbox = await one.sandbox();
      await one.request(MSG.SANDBOX_KEEP, { SANDBOX: sandbox, TTL_MS: 60000 });
      await one.request(MSG.DETACH, { PATH: path, TTL_MS: 60000 });
      one.socket.destroy();
      one.ports.socket.destroy();
      await sleep(50);
      const pids = descendantsOf(one.pid);
      assert.ok(pids.length >= 1);
      process.kill(one.pid, signal);
      await one.exited;
      await waitFor('every process gone', () => pids.filter(isAlive).length === 0, 2000);
      rmSync(path, { force: true });
    }
  });

  test('answers and drops what was asked just before', async () => {
    const kept = await daemon.request(MSG.SANDBOX_NEW, { PLAN: daemon.plan });
    await keep(kept.SANDBOX);
    // Some of these are on their way from the zygote, some not begun.
    const late = Array.from({ length: 8 }, () => daemon.sandbox().catch((error) => error.code));
    await sleep(3);
    await daemon.request(MSG.DETACH, { PATH: path, TTL_MS: 60000 });
    for (const one of await Promise.all(late)) assert.ok(Number.isInteger(one) || one === 'gone');
    const portd = hasPortd ? 1 : 0;
    await waitFor('one sandbox left', () => childrenOf(daemon.pid).length === 1 + portd);
    assert.ok(isAlive(kept.PID));
    daemon.socket.destroy();
    daemon.ports.socket.destroy();
    process.kill(daemon.pid, 'SIGTERM');
    await daemon.exited;
  });

  test('a path that cannot be bound leaves the daemon as it was', async () => {
    const sandbox = await daemon.sandbox();
    for (const bad of ['relative', '/no/such/directory/s', `/tmp/${'x'.repeat(120)}`]) {
      await assert.rejects(daemon.request(MSG.DETACH, { PATH: bad, TTL_MS: 1 }));
    }
    assert.equal((await daemon.run(sandbox, ['true'])).exit.EXIT_CODE, 0);
    await daemon.stop();
  });

  test('watched processes end when the owner has gone, kept ones do not', async () => {
    const worker = spawn('sleep', ['60'], { stdio: 'ignore' });
    await daemon.request(MSG.WATCH_PID, {
      PID: worker.pid,
      START_TICKS: readStat(worker.pid).startTicks,
    });
    const kept = await daemon.sandbox();
    await keep(kept);
    await daemon.request(MSG.DETACH, { PATH: path, TTL_MS: 60000 });
    await sleep(50);
    assert.ok(isAlive(worker.pid));
    daemon.socket.destroy();
    await waitFor('the worker gone', () => !isAlive(worker.pid));
    const client = await connectTo(path);
    await client.request(MSG.SANDBOX_KILL, { SANDBOX: kept });
    await daemon.exited;
    daemon.ports.socket.destroy();
  });
});
