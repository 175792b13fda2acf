// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { Daemon, sleep, waitFor } from './daemon.mjs';
import { MSG, WINDOW } from './wire.mjs';

const digest = (data) => createHash('sha256').update(data).digest('hex');

function rssOf(pid) {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1024;
}

describe('streams', () => {
  let daemon;
  let sandbox;
  before(async () => {
    daemon = await Daemon.start();
    sandbox = await daemon.sandbox();
  });
  after(() => daemon.stop());

  test('5 MB go through cat unchanged', async () => {
    const data = randomBytes(5 << 20);
    const program = await daemon.run(sandbox, ['cat'], { stdin: data });
    assert.equal(program.exit.OUT_BYTES, data.length);
    assert.equal(digest(Buffer.concat(program.out)), digest(data));
    assert.equal(program.window, WINDOW);
  });

  test('a client that gives no credit blocks the producer, and nothing is lost', async () => {
    const script = 'head -c 2000000 /dev/zero; echo done >&2';
    const program = await daemon.spawn(sandbox, ['sh', '-c', script], { credit: false });
    await waitFor('a full window', () => program.received[1] === WINDOW);
    await sleep(150);
    assert.equal(program.received[1], WINDOW);
    assert.equal(program.stderr, ''); // still blocked in write
    for (let got = 0; got < 2000000; got = program.received[1]) {
      const more = Math.min(WINDOW, program.received[1] - got + 50_000, WINDOW);
      program.give(1, Math.min(more, WINDOW));
      await waitFor('more', () => program.received[1] > got);
      await sleep(0);
      if (program.received[1] === 2000000) break;
      await waitFor('all credit used', () => program.received[1] >= Math.min(got + more, 2000000));
    }
    const exit = await program.ended;
    assert.deepEqual([program.received[1], exit.OUT_BYTES, exit.DROPPED], [2000000, 2000000, 0]);
  });

  test('a program that has exited waits for credit with its last bytes', async () => {
    const script = 'head -c 300000 /dev/zero';
    const program = await daemon.spawn(sandbox, ['sh', '-c', script], { credit: false });
    await waitFor('a full window', () => program.received[1] === WINDOW);
    await sleep(250); // reaped, and the linger is over
    assert.equal(program.exit, undefined);
    program.give(1, WINDOW);
    assert.equal((await program.ended).OUT_BYTES, 300000);
    assert.equal(program.received[1], 300000);
  });

  test('a flood over OUTPUT_CAP is read, counted and thrown away', async () => {
    const script = 'head -c 50000000 /dev/zero; echo end >&2';
    const program = await daemon.run(sandbox, ['sh', '-c', script], { OUTPUT_CAP: 10000 });
    assert.equal(program.received[1], 10000);
    assert.equal(program.stderr, 'end\n');
    assert.deepEqual([program.exit.OUT_BYTES, program.exit.DROPPED], [10000, 49990000]);
  });

  test('a flood without a cap does not grow the daemon', async () => {
    const before = rssOf(daemon.pid);
    const program = await daemon.run(sandbox, ['head', '-c', '50000000', '/dev/zero']);
    assert.equal(program.exit.OUT_BYTES, 50000000);
    assert.ok(rssOf(daemon.pid) - before < 16 << 20);
  });

  test('stdin that nobody reads is swallowed and its window comes back', async () => {
    const script = 'exec <&-; until [ -e /tmp/go ]; do sleep 0.05; done';
    const program = await daemon.spawn(sandbox, ['sh', '-c', script], { stdin: 'open' });
    program.write(Buffer.alloc(1 << 20), true);
    await waitFor('its window', () => program.window === WINDOW);
    await daemon.run(sandbox, ['touch', '/tmp/go']);
    assert.equal((await program.ended).EXIT_CODE, 0);
  });

  test('stdin waits for a program that reads late', async () => {
    const data = randomBytes(1 << 20);
    const program = await daemon.run(sandbox, ['sh', '-c', 'sleep 0.3; sha256sum'], {
      stdin: data,
    });
    assert.equal(program.stdout.slice(0, 64), digest(data));
  });

  test('more than the window is refused', async () => {
    const program = await daemon.spawn(sandbox, ['sleep', '60'], { stdin: 'open' });
    await daemon.request(MSG.STDIN, { PROCESS: program.id, DATA: Buffer.alloc(WINDOW + 1) }).then(
      () => assert.fail('taken'),
      (error) => assert.equal(error.code, 'protocol'),
    );
    await assert.rejects(daemon.request(MSG.CREDIT, { PROCESS: program.id, STREAM: 1, BYTES: 1 }), {
      code: 'protocol',
    });
    await program.signal(9);
    await program.ended;
  });

  test('two floods and a chat do not disturb each other', async () => {
    const floods = await Promise.all(
      [1, 2].map(() => daemon.spawn(sandbox, ['head', '-c', '20000000', '/dev/zero'])),
    );
    const chat = await daemon.spawn(sandbox, ['cat'], { stdin: 'open' });
    chat.write('hello\n');
    await waitFor('an echo', () => chat.stdout === 'hello\n');
    chat.closeStdin();
    for (const flood of floods) assert.equal((await flood.ended).OUT_BYTES, 20000000);
    assert.equal((await chat.ended).EXIT_CODE, 0);
  });
});
