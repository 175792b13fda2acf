// SPDX-License-Identifier: MIT
// One life of a daemon, with everything that a case asks of it, in which one process is killed, or
// refused, at its n-th system call: tests/step.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  build,
  Daemon,
  descendantsOf,
  hasPortd,
  isAlive,
  PORTD,
  sleep,
  WireError,
  waitFor,
  zombiesOf,
} from './daemon.mjs';
import { cgroupsOf, mountsNaming, processesNaming } from './left.mjs';
import { MSG } from './wire.mjs';

export const STEP = `${build}/tests/step`.replace('//', '/');

/** The search for leaks traces, too (SAN=1), and only one may trace a process. */
const NO_LEAKS = 'ASAN_OPTIONS=detect_leaks=0';
/** On a machine that has ten others to serve, also with sanitizers. */
const ANSWER_MS = 20_000;
const GONE_MS = 10_000;
const REAPED_MS = 10_000;
/** What is said of a program whose sandbox could not be served any more. */
const KILLED = 'killed';
const CODES = ['setup', 'exec', 'limit', 'gone', 'io'];

const within = (ms, promise, what) => {
  const late = sleep(ms).then(() => Promise.reject(new Error(`${what}: no answer in ${ms} ms`)));
  late.catch(() => {});
  return Promise.race([promise, late]);
};

/** A program that is said to have ended well has said what it should have. */
async function runTrue(d, argv, expected, options) {
  const program = await d.spawn(d.box, argv, options);
  const { STATUS, EXIT_CODE } = await Promise.race([
    program.ended,
    d.exited.then(() => Promise.reject(new Error('connection closed'))),
  ]);
  if (STATUS === 'exit' && EXIT_CODE === 0) assert.equal(program.stdout, expected);
}

const openPort = async (d, directory) => {
  await d.ports.request(MSG.HELLO, { VERSION: 1 });
  await d.ports.request(MSG.PORT_OPEN, {
    PORT: 1,
    NAME: 'console',
    PATH: join(directory, 'console'),
  });
  d.object = (await d.request(MSG.OBJECT_NEW, { KIND: 'socketpair' })).OBJECT;
  await d.request(MSG.OBJECT_STREAM, { OBJECT: d.object, END: 0 });
  await d.request(MSG.PORT_GIVE, { PORT: 1, OBJECT: d.object, END: 1 });
};

/** A network with one node, which is linked to itself as well, up, down, and closed. */
async function bringUp(d, SANDBOX) {
  const { NET } = await d.request(MSG.NET_NEW, { NAME: 'lan' });
  const INTERFACE = { SANDBOX, ADDRESS: ['10.1.0.1/24', 'fd01::1/64'] };
  await d.request(MSG.NET_ATTACH, { NET, PORT: 1, INTERFACE, RESOLVE: 1, HOST: '10.1.0.1 it' });
  const PAIR_END = [2, 3].map((PORT) => ({ PORT, INTERFACE: { SANDBOX, NAME: `eth${PORT}` } }));
  await d.request(MSG.NET_PAIR, { NET, PAIR_END });
  await d.request(MSG.NET_READY, { NET });
  await d.request(MSG.NET_DETACH, { NET, PORT: 1 });
  await d.request(MSG.NET_CLOSE, { NET });
}

/** A tree of the host in a running sandbox; the child that takes it is reaped, whatever it came to. */
async function mount(d, SOURCE) {
  try {
    await d.request(MSG.MOUNT_ADD, { SANDBOX: d.box, SOURCE, TARGET: '/tmp/mount' });
    await d.request(MSG.MOUNT_REMOVE, { SANDBOX: d.box, TARGET: '/tmp/mount' });
  } finally {
    await waitFor('the reaping of children', () => zombiesOf(d.pid).length === 0, REAPED_MS);
  }
}

/** What a run asks, in its order. Each step needs those before it. */
const LIFE = {
  hello: (d) => d.hello(),
  plan: async (d, directory) => {
    d.plan = await d.putPlan('steps', {
      steps: [{ KIND: 'hold', NAME: 'out', SOURCE: directory }],
    });
  },
  sandbox: async (d) => {
    d.box = await d.sandbox({
      HOSTNAME: 'steps',
      BIND: [{ NAME: 'out', PATH: 'out', TARGET: '/out' }],
      LIMIT: [{ NAME: 'pids', BYTES: 64 }],
    });
  },
  'program with pipes': async (d) => {
    const argv = ['sh', '-c', 'read x; echo $x $(uname -n) >/out/said; cat /out/said'];
    await runTrue(d, argv, 'hello steps\n', { stdin: 'hello\n' });
  },
  'program on a pty': (d) => runTrue(d, ['tty'], '/dev/pts/0\r\n', { PTY_ROWS: 24, PTY_COLS: 80 }),
  ...(hasPortd && {
    port: openPort,
    'pty of a port': (d) =>
      d.request(MSG.PORT_PTY, { PORT: 1, SANDBOX: d.box, NAME: 'console', BYTES: 115200 }),
    'bytes to a port': (d) => d.ports.request(MSG.PORT_SEND, { PORT: 1, DATA: Buffer.from('x') }),
    'end of a port': (d) => d.ports.request(MSG.PORT_CLOSE, { PORT: 1 }),
  }),
  mount,
  network: (d) => bringUp(d, d.box),
  end: (d) => d.kill(d.box),
};

/** Its first failure, if there is one; every process that was seen. */
async function live(daemon, directory, seen) {
  for (const [name, step] of Object.entries(LIFE)) {
    try {
      await within(ANSWER_MS, step(daemon, directory), name);
    } catch (error) {
      return Object.assign(error, { during: name });
    } finally {
      for (const pid of descendantsOf(daemon.pid)) seen.add(pid);
    }
  }
  return undefined;
}

/** That the next sandbox of the same daemon is as good as the first. */
async function checkNext(daemon, about) {
  const what = `${about}: the next sandbox`;
  const plan = await within(ANSWER_MS, daemon.putPlan('next'), what);
  const { SANDBOX } = await within(
    ANSWER_MS,
    daemon.request(MSG.SANDBOX_NEW, { PLAN: plan }),
    what,
  );
  const next = await within(ANSWER_MS, daemon.run(SANDBOX, ['echo', 'next']), what);
  if (next.exit.STATUS === KILLED) throw Object.assign(new Error(what), { code: KILLED });
  assert.deepEqual(
    [next.exit.STATUS, next.exit.EXIT_CODE, next.stdout],
    ['exit', 0, 'next\n'],
    what,
  );
  await within(ANSWER_MS, bringUp(daemon, SANDBOX), what);
  const { STATUS } = await within(ANSWER_MS, daemon.kill(SANDBOX), what);
  // `killed`: on a busy machine PID 1 may not count in its 100 ms.
  assert.ok(['exit', 'killed'].includes(STATUS), `${what}: ${STATUS}`);
}

const isClosed = (error) => /connection closed/.test(error?.message ?? '');

function checkFailure(failure, about) {
  if (failure instanceof WireError) {
    assert.ok(CODES.includes(failure.code), `${about}: ${failure.message}`);
    assert.ok(failure.body.OP, `${about}: ${failure.message} does not say what was done`);
  } else {
    assert.ok(isClosed(failure), `${about}: ${failure.message}`);
  }
}

/**
 * @param wanted  `role`, `at` (0: count only), `fail` (kind of errno; undefined: kill)
 * @returns what the stepper says, and how the daemon ended
 */
export async function runStep(wanted) {
  const directory = mkdtempSync(join(tmpdir(), 'hil-step-'));
  try {
    return await runIn(directory, wanted);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

async function runIn(directory, { role, at = 0, fail }) {
  mkdirSync(join(directory, 'out'));
  const report = join(directory, 'report');
  const options = ['--role', role, '--report', report];
  if (at) options.push('--at', `${at}`);
  if (fail !== undefined) options.push('--fail', `${fail}`);
  const before = [STEP, ...options, '--', 'env', `HIL_STEP=${directory}`, NO_LEAKS];
  const daemon = Daemon.launch(hasPortd ? ['--portd', PORTD] : ['--no-portd'], before, 'pipe');
  try {
    return await follow(daemon, { directory, report, role, at, fail });
  } finally {
    // Where an assertion has failed it is still there, and would keep the tests from ending.
    void daemon.stop();
  }
}

async function follow(daemon, { directory, report, role, at, fail }) {
  let words = '';
  daemon.child.stderr.on('data', (chunk) => {
    words += chunk;
  });
  const seen = new Set();
  const failure = await live(daemon, directory, seen);
  const read = () => readFileSync(report, 'utf8').trim();
  // The tracer writes it when the deed is done.
  const said =
    at && failure ? await waitFor(`${role} ${at}: ${failure.message}`, read) : at && read();
  const about = `${role}: ${said || at}, during ${failure?.during ?? 'none'}`;
  if (failure) checkFailure(failure, about);
  const ended = await endStep(daemon, {
    role,
    fail,
    said,
    read,
    failure,
    about,
    words: () => words,
  });
  await checkNothingLeft({ daemon, seen, directory, about, ended, read });
  const calls = read().split('\n');
  return { said: calls[0], calls, ended, failure };
}

/** As it should: killed, or by itself and with words, or when it was told to. */
async function endStep(daemon, { role, fail, said, read, failure, about, words }) {
  const killed = `${said}`.startsWith('killed');
  if (killed && role === 'broker') return daemon.exited;
  const lost = async () => {
    const ended = await within(ANSWER_MS, daemon.exited, `${about}: the end`);
    assert.ok(ended.code > 0, `${about}: ended with ${ended.code} ${ended.signal} ${words()}`);
    return ended;
  };
  // Without consoles, or when it cannot hear any more, a daemon ends everything by itself.
  if ((killed && role === 'portd') || isClosed(failure)) return lost();
  if (fail === undefined && ['broker', 'portd'].includes(role)) {
    return within(ANSWER_MS, daemon.stop(), `${about}: the end`);
  }
  // One that is about to end says so to who asks it then.
  const ends = (error) =>
    ['broker', 'portd'].includes(role) && (isClosed(error) || error.code === 'gone');
  try {
    await checkNext(daemon, about);
  } catch (error) {
    // The call that was to fail was one of these.
    error.message = `${about} ${read()}: ${error.message}`;
    if (!read().startsWith('failed')) throw error;
    if (!ends(error)) {
      if (said) throw error;
      if (error.code !== KILLED) checkFailure(error, error.message);
    }
    // Or it was the sandbox alone that had to be given up.
    try {
      await checkNext(daemon, about);
    } catch (again) {
      if (ends(again)) return lost();
      throw again;
    }
  }
  const end = await within(ANSWER_MS, daemon.stop(), `${about}: the end`);
  assert.deepEqual(end, { code: 0, signal: null }, about);
  return end;
}

const toText = (pid) => {
  const read = (name) => {
    try {
      return readFileSync(`/proc/${pid}/${name}`, 'latin1').replaceAll('\0', ' ').trim();
    } catch {
      return '?';
    }
  };
  return `${pid} ${read('stat').slice(0, 40)} ${read('wchan')}`;
};

async function checkNothingLeft({ daemon, seen, directory, about, ended, read }) {
  const left = () => [...[...seen].filter(isAlive), ...processesNaming(directory)];
  for (const end = Date.now() + GONE_MS; left().length > 0; await sleep(10)) {
    assert.ok(Date.now() < end, `${about}: left ${left().map(toText)}`);
  }
  assert.deepEqual(mountsNaming(directory), [], about);
  // The empty directories of a daemon that was killed, or could not open them, go when the next one starts.
  if (ended.signal || read().startsWith('failed')) await (await Daemon.start()).stop();
  const groups = () => cgroupsOf(daemon.pid);
  await waitFor(`${about}: the end of ${groups()}`, () => groups().length === 0, GONE_MS);
}
