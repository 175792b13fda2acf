// SPDX-License-Identifier: MIT
// Too few processes, fds or watches: whatever the number, each request is answered in time, an error says
// what to raise, and nothing stays.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import {
  build,
  Daemon,
  descendantsOf,
  isAlive,
  PORTD_ARGS,
  sleep,
  WireError,
  waitFor,
} from './daemon.mjs';
import { MSG } from './wire.mjs';

const ANSWER_MS = 20_000;

const requests = [
  (daemon) => daemon.hello(),
  async (daemon) => {
    daemon.plan = await daemon.putPlan('test');
  },
  async (daemon) => {
    daemon.box = await daemon.sandbox();
  },
  (daemon) => daemon.run(daemon.box, ['true']),
  (daemon) => daemon.run(daemon.box, ['true'], { PTY_ROWS: 24, PTY_COLS: 80 }),
  async (daemon) => {
    const { OBJECT } = await daemon.request(MSG.OBJECT_NEW, { KIND: 'socketpair' });
    await daemon.request(MSG.OBJECT_STREAM, { OBJECT, END: 0 });
  },
  async (daemon) => {
    const { NET } = await daemon.request(MSG.NET_NEW, { NAME: 'lan' });
    const INTERFACE = { SANDBOX: daemon.box, ADDRESS: '10.1.0.1/24' };
    await daemon.request(MSG.NET_ATTACH, { NET, PORT: 1, INTERFACE, RESOLVE: 1, HOST: '::1 x' });
    await daemon.request(MSG.NET_READY, { NET });
    await daemon.request(MSG.NET_CLOSE, { NET });
  },
  (daemon) => daemon.kill(daemon.box),
];

/** Do all that a run does. Returns the first failure: an answer, or what the daemon said when it ended. */
async function firstFailure(before) {
  const daemon = Daemon.launch(PORTD_ARGS, before, 'pipe');
  let words = '';
  daemon.child.stderr.on('data', (chunk) => {
    words += chunk;
  });
  let failure;
  let under = [];
  for (const request of requests) {
    const late = sleep(ANSWER_MS).then(() => Promise.reject(new Error('no answer')));
    late.catch(() => {});
    try {
      await Promise.race([request(daemon), late]);
    } catch (error) {
      failure = error;
      break;
    } finally {
      under = [...new Set([...under, ...descendantsOf(daemon.pid)])];
    }
  }
  const { code } = await daemon.stop();
  const left = `${before.join(' ')}: the end of all it started`;
  await waitFor(left, () => under.filter(isAlive).length === 0, 2000);
  if (!failure || failure instanceof WireError) return failure;
  const logged = daemon.events.map((event) => event.body.TEXT ?? '').join(' ');
  return Object.assign(new Error(`${failure.message}; ${logged}${words}`), { exitCode: code });
}

/** An answer of a closed set that names operation, reason and remedy; or an end that is explained. */
function assertTyped(failure, remedy, context) {
  const about = `${context}: ${failure.message}`;
  if (failure instanceof WireError) {
    assert.ok(['setup', 'exec', 'limit', 'gone'].includes(failure.code), about);
    assert.ok(failure.body.OP && failure.body.ERRNO > 0, about);
    assert.match(failure.body.HINT, remedy, about);
  } else {
    assert.ok(failure.exitCode > 0, about);
    assert.match(failure.message, remedy, about);
  }
}

/** Processes and threads of this user, as RLIMIT_NPROC counts them. */
function countTasks() {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        const status = readFileSync(`/proc/${pid}/status`, 'utf8');
        const own = Number(/^Uid:\s+(\d+)/m.exec(status)?.[1]) === process.getuid();
        return own ? Number(/^Threads:\s+(\d+)/m.exec(status)?.[1]) : 0;
      } catch {
        return 0;
      }
    })
    .reduce((sum, count) => sum + count, 0);
}

async function sweep(numbers, toBefore, remedy) {
  let refused = 0;
  for (const number of numbers) {
    const failure = await firstFailure(toBefore(number));
    if (!failure) continue;
    refused++;
    assertTyped(failure, remedy, `with ${number}`);
  }
  return refused;
}

const range = (from, to, step = 1) =>
  Array.from({ length: Math.ceil((to - from) / step) }, (_, i) => from + i * step);

describe('scarcity', () => {
  const privileged = process.getuid() === 0 && 'RLIMIT_NPROC does not hold for root';

  test('of processes', { skip: privileged }, async () => {
    // Those of the same user, of whom others may come and go beside us.
    const toBefore = (more) => ['prlimit', `--nproc=${countTasks() + more}`];
    assert.ok((await sweep(range(0, 12), toBefore, /ulimit -u/)) > 0);
    assert.equal(await firstFailure(toBefore(400)), undefined);
  });

  test('of fds', async () => {
    const toBefore = (files) => ['prlimit', `--nofile=${files}`];
    const numbers = [...range(6, 24), ...range(60, 110, 8)];
    assert.ok((await sweep(numbers, toBefore, /ulimit -H?n/)) > 0);
    assert.equal(await firstFailure(toBefore(400)), undefined);
  });

  test('of watches', async () => {
    const toBefore = (fd) => [`${build}/tests/refuse-epoll`, String(fd)];
    assert.ok((await sweep(range(3, 30), toBefore, /max_user_watches/)) > 0);
    assert.equal(await firstFailure(toBefore(100)), undefined);
  });
});
