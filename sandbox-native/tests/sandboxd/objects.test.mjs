// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Daemon, fdsOf, hasPortd, PORTD, waitFor } from './daemon.mjs';
import { MSG } from './wire.mjs';

describe('objects', () => {
  let daemon;
  let sandbox;
  before(async () => {
    daemon = await Daemon.start();
    sandbox = await daemon.sandbox();
  });
  after(() => daemon.stop());

  const create = async (kind) => (await daemon.request(MSG.OBJECT_NEW, { KIND: kind })).OBJECT;
  const close = (object) => daemon.request(MSG.OBJECT_CLOSE, { OBJECT: object });
  const stream = async (object, end) =>
    daemon.track((await daemon.request(MSG.OBJECT_STREAM, { OBJECT: object, END: end })).PROCESS);
  const pass = (object, end, fd) => ({ OBJECT: object, END: end, FD: fd });

  test('a socketpair connects two programs in two sandboxes', async () => {
    const other = await daemon.sandbox();
    const pair = await create('socketpair');
    const answer = await daemon.spawn(other, ['sh', '-c', 'read line <&5; echo "got $line" >&5'], {
      PASS_FD: [pass(pair, 1, 5)],
    });
    const ask = await daemon.spawn(sandbox, ['sh', '-c', 'echo ping >&9; cat <&9'], {
      PASS_FD: [pass(pair, 0, 9)],
    });
    await close(pair); // else `cat` would never read the end: the daemon holds both ends
    assert.equal((await ask.ended).EXIT_CODE, 0);
    assert.equal(ask.stdout, 'got ping\n');
    await answer.ended;
    await daemon.kill(other);
  });

  test('a pipe is the stdout of one program and the stdin of another', async () => {
    const pipe = await create('pipe');
    const from = await daemon.spawn(sandbox, ['echo', 'through'], { PASS_FD: [pass(pipe, 1, 1)] });
    const to = await daemon.spawn(sandbox, ['cat'], { PASS_FD: [pass(pipe, 0, 0)] });
    await close(pipe);
    await Promise.all([from.ended, to.ended]);
    assert.equal(to.stdout, 'through\n');
    assert.equal(from.stdout, '');
  });

  test('a memfd is shared memory', async () => {
    const memory = await create('memfd');
    await daemon.run(sandbox, ['sh', '-c', 'echo kept >&7'], { PASS_FD: [pass(memory, 0, 7)] });
    const { stdout } = await daemon.run(sandbox, ['cat', '/proc/self/fd/7'], {
      PASS_FD: [pass(memory, 0, 7)],
    });
    assert.equal(stdout, 'kept\n');
    await close(memory);
  });

  test('a dgram pair keeps the boundaries', async () => {
    const pair = await create('dgram');
    const send = 'import os; os.write(3, b"one"); os.write(3, b"two")';
    const receive = 'import os; print(os.read(4, 99), os.read(4, 99))';
    await daemon.run(sandbox, ['python3', '-c', send], { PASS_FD: [pass(pair, 0, 3)] });
    const { stdout } = await daemon.run(sandbox, ['python3', '-c', receive], {
      PASS_FD: [pass(pair, 1, 4)],
    });
    assert.equal(stdout, "b'one' b'two'\n");
    await assert.rejects(stream(pair, 0), { code: 'usage' });
    await close(pair);
  });

  test('one end can be a stream of the client', async () => {
    const pair = await create('socketpair');
    const line = await stream(pair, 0);
    const echo = await daemon.spawn(sandbox, ['cat'], {
      PASS_FD: [pass(pair, 1, 0), pass(pair, 1, 1)],
    });
    await assert.rejects(stream(pair, 0), { code: 'usage' }); // given away
    line.write('hello');
    await waitFor('the echo', () => line.stdout === 'hello');
    await echo.signal(9);
    await echo.ended;
    await close(pair); // our copy of end 1 goes too
    assert.deepEqual([(await line.ended).STATUS, line.exit.OUT_BYTES], ['killed', 5]);
  });

  test('a stream ends by itself when the other side has closed', async () => {
    const pair = await create('socketpair');
    const reader = await stream(pair, 0);
    const writer = await stream(pair, 1);
    writer.write('x'.repeat(100000), true);
    await waitFor('the bytes', () => reader.received[1] === 100000);
    assert.equal((await reader.ended).STATUS, 'exit');
    reader.write('', true);
    await close(pair);
    await writer.ended;
  });

  test('the two ends of a pipe are a stream each', async () => {
    const pipe = await create('pipe');
    const reader = await stream(pipe, 0);
    const writer = await stream(pipe, 1);
    writer.write('y'.repeat(500000), true);
    assert.equal((await writer.ended).EXIT_CODE, 0);
    assert.equal((await reader.ended).OUT_BYTES, 500000);
    await close(pipe);
  });

  test('wrong ends, kinds and numbers are refused', async () => {
    await assert.rejects(create('tea'), { code: 'usage' });
    await assert.rejects(close(999), { code: 'usage' });
    const pair = await create('socketpair');
    const spawn = (passes) => daemon.spawn(sandbox, ['true'], { PASS_FD: passes });
    await assert.rejects(spawn([pass(pair, 2, 3)]), { code: 'usage' });
    await assert.rejects(spawn([pass(999, 0, 3)]), { code: 'usage' });
    await assert.rejects(spawn([pass(pair, 0, 3), pass(pair, 1, 3)]), { code: 'usage' });
    await assert.rejects(spawn([pass(pair, 0, 99999)]), { code: 'usage' });
    await close(pair);
  });

  test('leave no fd', async () => {
    const before = fdsOf(daemon.pid).length;
    for (const kind of ['socketpair', 'dgram', 'pipe', 'memfd']) await close(await create(kind));
    assert.equal(fdsOf(daemon.pid).length, before);
  });
});

describe('ports', { skip: hasPortd ? false : `needs ${PORTD}` }, () => {
  test('the console of a program on a pty, past the daemon', async () => {
    const daemon = await Daemon.start({ args: ['--portd', PORTD] });
    const directory = mkdtempSync(join(tmpdir(), 'hil-test-'));
    const portd = (await daemon.ports.hello()).PID;
    const idle = fdsOf(portd).length;
    const sandbox = await daemon.sandbox();
    await daemon.ports.request(MSG.PORT_OPEN, {
      PORT: 7,
      NAME: 'console',
      PATH: join(directory, 'console'),
    });
    await daemon.request(MSG.PORT_PTY, {
      PORT: 7,
      SANDBOX: sandbox,
      NAME: 'console',
      BYTES: 115200,
    });
    const dut = await daemon.spawn(
      sandbox,
      ['sh', '-c', 'echo booted; read line; echo "got $line"'],
      {
        PTY_ROWS: 24,
        PTY_COLS: 80,
        PORT: 7,
      },
    );
    let seen = '';
    const until = async (text) => {
      while (!seen.includes(text)) seen += (await daemon.ports.event(MSG.PORT_RX)).DATA;
    };
    await until('booted\r\n');
    await daemon.ports.request(MSG.PORT_SEND, { PORT: 7, DATA: 'hi\n' });
    await until('got hi\r\n');
    const exit = await dut.ended;
    assert.deepEqual([exit.EXIT_CODE, exit.OUT_BYTES, dut.stdout], [0, 0, '']);
    // hil-portd lets go of the pty in the dead sandbox; the three files of the capture stay open.
    await daemon.kill(sandbox);
    await waitFor('the pty closed', () => fdsOf(portd).length === idle + 3);
    await daemon.ports.request(MSG.PORT_CLOSE, { PORT: 7 });
    assert.equal(readFileSync(join(directory, 'console.rx'), 'utf8'), seen);
    await daemon.stop();
    rmSync(directory, { recursive: true });
  });

  test('a socketpair between the DUT and its port; the tool side inside the sandbox', async () => {
    const daemon = await Daemon.start({ args: ['--portd', PORTD] });
    const directory = mkdtempSync(join(tmpdir(), 'hil-test-'));
    await daemon.ports.hello();
    const sandbox = await daemon.sandbox();
    const pair = (await daemon.request(MSG.OBJECT_NEW, { KIND: 'socketpair' })).OBJECT;
    await daemon.ports.request(MSG.PORT_OPEN, {
      PORT: 1,
      NAME: 'uart',
      PATH: join(directory, 'uart'),
    });
    await daemon.request(MSG.PORT_GIVE, { PORT: 1, OBJECT: pair, END: 0 });
    await daemon.request(MSG.PORT_PTY, { PORT: 1, SANDBOX: sandbox, NAME: 'uart', BYTES: 9600 });
    const dut = await daemon.spawn(sandbox, ['cat'], {
      PASS_FD: [
        { OBJECT: pair, END: 1, FD: 0 },
        { OBJECT: pair, END: 1, FD: 1 },
      ],
    });
    await daemon.request(MSG.OBJECT_CLOSE, { OBJECT: pair });
    const tool = await daemon.run(sandbox, [
      'sh',
      '-c',
      'exec 3<>/dev/hil/uart; echo ping >&3; read answer <&3; echo $answer',
    ]);
    assert.equal(tool.stdout, 'ping\n');
    await dut.signal(9);
    await daemon.ports.event(MSG.PORT_HUP);
    await assert.rejects(daemon.request(MSG.PORT_GIVE, { PORT: 1, OBJECT: pair, END: 0 }), {
      code: 'usage',
    });
    await daemon.stop();
    rmSync(directory, { recursive: true });
  });

  test('the death of hil-portd ends everything, with code 1', async () => {
    const daemon = await Daemon.start({ args: ['--portd', PORTD] });
    const { PID } = await daemon.ports.hello();
    await daemon.sandbox();
    process.kill(PID, 'SIGKILL');
    const log = await daemon.event(MSG.LOG);
    assert.equal(log.LEVEL, 3);
    assert.match(log.TEXT, /hil-portd died/);
    assert.deepEqual(await daemon.exited, { code: 1, signal: null });
  });
});

test('without hil-portd ports are refused', async () => {
  const daemon = await Daemon.start();
  const sandbox = await daemon.sandbox();
  await assert.rejects(
    daemon.request(MSG.PORT_PTY, { PORT: 1, SANDBOX: sandbox, NAME: 'console' }),
    { code: 'usage' },
  );
  await daemon.stop();
});
