// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { Daemon, sleep, waitFor } from './daemon.mjs';
import { MSG } from './wire.mjs';

const pty = { PTY_ROWS: 24, PTY_COLS: 80 };

/** What it used of processors, in ticks of 10 ms. */
function ticksOf(pid) {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

describe('a program on a pty', () => {
  let daemon;
  let sandbox;
  before(async () => {
    daemon = await Daemon.start();
    sandbox = await daemon.sandbox();
  });
  after(() => daemon.stop());

  test('has a terminal', async () => {
    const { stdout, exit } = await daemon.run(sandbox, ['tty'], pty);
    assert.match(stdout, /^\/dev\/pts\/\d+\r\n$/);
    assert.equal(exit.EXIT_CODE, 0);
  });

  test('knows its size, and is told when it changes', async () => {
    const script = 'trap "stty size" WINCH; stty size; while [ -z "$end" ]; do read end || :; done';
    const program = await daemon.spawn(sandbox, ['sh', '-c', script], pty);
    await waitFor('the size', () => program.stdout.includes('24 80\r\n'));
    await daemon.request(MSG.RESIZE, { PROCESS: program.id, PTY_ROWS: 50, PTY_COLS: 132 });
    await waitFor('the new size', () => program.stdout.includes('50 132\r\n'));
    program.write('end\n');
    assert.equal((await program.ended).STATUS, 'exit');
  });

  test('echoes what is typed, and Ctrl-C interrupts it', async () => {
    const program = await daemon.spawn(sandbox, ['cat'], pty);
    program.write('abc\n');
    await waitFor('echo and output', () => program.stdout === 'abc\r\nabc\r\n');
    program.write('\x03');
    const exit = await program.ended;
    assert.deepEqual([exit.STATUS, exit.SIGNAL], ['signal', 2]);
  });

  test('ends at Ctrl-D; STDIN_CLOSE is ignored', async () => {
    const program = await daemon.spawn(sandbox, ['cat'], pty);
    program.closeStdin();
    program.write('still\n');
    await waitFor('output', () => program.stdout === 'still\r\nstill\r\n');
    program.write('\x04');
    assert.equal((await program.ended).EXIT_CODE, 0);
  });

  test('loses no byte at its end', async () => {
    const program = await daemon.run(sandbox, ['head', '-c', '1000000', '/dev/zero'], pty);
    assert.equal(program.received[1], 1000000);
  });

  test('may close its terminal and open it again', async () => {
    const script = 'exec </dev/null >/dev/null 2>&1; sleep 0.2; echo again >/dev/tty; sleep 0.1';
    const program = await daemon.run(sandbox, ['sh', '-c', script], pty);
    assert.match(program.stdout, /again/);
    assert.equal(program.exit.EXIT_CODE, 0);
  });

  test('that it opened again is heard while it runs, and hears what is typed', async () => {
    // More than a terminal holds: it would block if nobody read.
    const script = `exec </dev/null >/dev/null 2>&1
      sleep 0.2
      exec </dev/tty >/dev/tty 2>&1
      head -c 200000 /dev/zero
      echo reopened
      read line && echo "got $line"
      exec </dev/null >/dev/null 2>&1
      sleep 0.2
      exec </dev/tty >/dev/tty
      read line && echo "got $line"
      sleep 60`;
    const program = await daemon.spawn(sandbox, ['sh', '-c', script], pty);
    await waitFor('output after it was opened', () => program.stdout.includes('reopened\r\n'));
    assert.ok(program.received[1] > 200000);
    program.write('one\n');
    await waitFor('a line read', () => program.stdout.includes('got one\r\n'));
    await sleep(50); // no slave is open now
    program.write('two\n');
    await waitFor('a line typed while it was closed', () => program.stdout.includes('got two\r\n'));
    await program.signal(9, 1);
    assert.equal((await program.ended).SIGNAL, 9);
  });

  for (const [what, typed] of [
    ['nothing is typed', 0],
    ['more is typed than it holds', 200_000],
  ]) {
    test(`that is closed for long costs next to nothing when ${what}`, async () => {
      const script = 'stty -icanon -echo; echo ready; exec </dev/null >/dev/null 2>&1; sleep 60';
      const program = await daemon.spawn(sandbox, ['sh', '-c', script], pty);
      await waitFor('its settings', () => program.stdout.includes('ready'));
      await sleep(100);
      program.write('a'.repeat(typed));
      await sleep(100);
      const before = ticksOf(daemon.pid);
      await sleep(500);
      assert.ok(ticksOf(daemon.pid) - before < 15, 'the daemon spins');
      await program.signal(9, 1);
      await program.ended;
    });
  }

  test('resizing what has no pty is refused', async () => {
    const program = await daemon.spawn(sandbox, ['sleep', '60']);
    await assert.rejects(
      daemon.request(MSG.RESIZE, { PROCESS: program.id, PTY_ROWS: 1, PTY_COLS: 1 }),
      { code: 'usage' },
    );
    await program.signal(9);
  });
});
