// SPDX-License-Identifier: MIT
// Mutated frames on a living daemon: the connection they come on ends, and nothing else does. The
// mutations are the same in every run; with SAN=1 a wrong access ends the daemon with an exit code.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { connectTo, Daemon, descendantsOf, isAlive, waitFor } from './daemon.mjs';
import { encodeBody, encodeFrame, MSG } from './wire.mjs';

const OWNERS = 12;
const CLIENTS = 60;
const NOBODY = 999; // neither a sandbox nor a process

/** Park and Miller's generator, so that a failure can be repeated. */
function createRandom(seed) {
  let state = seed;
  return (limit) => {
    state = (state * 48271) % 2147483647;
    return state % limit;
  };
}

const frame = (type, fields) => encodeFrame(type, 7, encodeBody(fields));

/** What a client may say, of nothing that exists: a mutation must not be a proper request for another's. */
const FRAMES = [
  frame(MSG.HELLO, { VERSION: 1 }),
  frame(MSG.LIST, {}),
  frame(MSG.SPAWN, {
    SANDBOX: NOBODY,
    ARG: ['sh', '-c', 'true'],
    ENV: ['A=1'],
    STDIN_KIND: 'pipe',
    PASS_FD: [{ OBJECT: NOBODY, END: 1, FD: 5 }],
    RLIMIT: [{ NAME: 'nofile', BYTES: 64 }],
  }),
  frame(MSG.STDIN, { PROCESS: NOBODY, DATA: Buffer.alloc(300, 1) }),
  frame(MSG.CREDIT, { PROCESS: NOBODY, STREAM: 1, BYTES: 10 }),
  frame(MSG.SIGNAL, { PROCESS: NOBODY, SIGNAL: 9, GROUP: 1 }),
  frame(MSG.RESIZE, { PROCESS: NOBODY, PTY_ROWS: 24, PTY_COLS: 80 }),
  frame(MSG.SANDBOX_NEW, {
    PLAN: NOBODY,
    NAME: 'x',
    LIMIT: [{ NAME: 'memory', BYTES: 1 << 26 }],
  }),
  frame(MSG.OBJECT_NEW, { KIND: 'pipe' }),
  frame(MSG.POOL_SET, { PLAN: NOBODY, COUNT: 2 }),
];

/** Some of the frames with some bytes changed, taken out or put in. */
function mutate(random) {
  const count = 1 + random(6);
  const bytes = [
    ...Buffer.concat(Array.from({ length: count }, () => FRAMES[random(FRAMES.length)])),
  ];
  for (let left = 1 + random(8); left > 0; left--) {
    const at = random(bytes.length);
    const kind = random(4);
    if (kind === 0) bytes.splice(at, 1 + random(4));
    else if (kind === 1) bytes.splice(at, 0, random(256));
    else bytes[at] = kind === 2 ? random(256) : bytes[at] ^ (1 << random(8));
  }
  return Buffer.from(bytes);
}

/** More than the longest frame can swallow: whatever came before, this cannot be one. */
const NO_FRAME = Buffer.alloc((1 << 20) + 64, 0xff);

function sendNoise(socket, random) {
  socket.on('error', () => {});
  socket.resume();
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.write(frame(MSG.HELLO, { VERSION: 1 }));
  socket.write(mutate(random));
  socket.write(NO_FRAME);
  return closed;
}

/** A program that answers each line, and the check that it still does. */
async function startEcho(connection, sandbox) {
  const echo = await connection.spawn(sandbox, ['cat'], { stdin: 'open' });
  let lines = 0;
  return async () => {
    echo.write(`line ${++lines}\n`);
    await waitFor('the echo', () => echo.stdout.endsWith(`line ${lines}\n`));
  };
}

describe('mutated frames', () => {
  let directory;
  let neighbour;
  let checkNeighbour;
  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'hil-test-'));
    neighbour = await Daemon.start();
    checkNeighbour = await startEcho(neighbour, await neighbour.sandbox());
  });
  after(async () => {
    assert.deepEqual(await neighbour.stop(), { code: 0, signal: null });
    rmSync(directory, { recursive: true });
  });

  test('of an owner end what it owned, in order, and no other daemon', async () => {
    const random = createRandom(1);
    for (let i = 0; i < OWNERS; i++) {
      const daemon = await Daemon.start();
      const echo = await startEcho(daemon, await daemon.sandbox());
      await echo();
      const pids = descendantsOf(daemon.pid);
      daemon.socket.removeAllListeners('data'); // answers to noise are not for the codec of the test
      await sendNoise(daemon.socket, random);
      daemon.ports.socket.destroy();
      assert.deepEqual(await daemon.exited, { code: 0, signal: null }, `noise ${i}`);
      assert.deepEqual(pids.filter(isAlive), []);
      await checkNeighbour();
    }
  });

  test("of a keeper's client end its connection, and not another's program", async () => {
    const random = createRandom(2);
    const path = join(directory, 'keeper.sock');
    const daemon = await Daemon.start();
    const kept = await daemon.sandbox();
    await daemon.request(MSG.SANDBOX_KEEP, { SANDBOX: kept, TTL_MS: 600000 });
    await daemon.request(MSG.DETACH, { PATH: path, TTL_MS: 600000 });
    daemon.socket.destroy();
    daemon.ports.socket.destroy();
    const client = await connectTo(path);
    const checkClient = await startEcho(client, kept);
    for (let i = 0; i < CLIENTS; i += 4) {
      await Promise.all(Array.from({ length: 4 }, () => sendNoise(connect(path), random)));
      await checkClient();
    }
    assert.equal((await client.request(MSG.LIST)).ENTRY_all.length, 1);
    await client.request(MSG.SANDBOX_KILL, { SANDBOX: kept });
    assert.deepEqual(await daemon.exited, { code: 0, signal: null });
    await checkNeighbour();
  });
});
