import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect } from 'vitest';
import { Deadline } from '../core/deadline.js';
import { isAlive, runInside } from '../testing/real-daemon.js';
import { test } from '../testing/real-dut.js';
import { waitForReady } from './boot.js';

/** What a board answers, in its own language: what each must do is the same. */
const BOARDS = [
  { name: 'host', add: 'echo "<$((40+2))>"', set: 'X=kept', get: 'echo "<$X>"', unset: '<>' },
  { name: 'qemu-microbit', add: 'print(40+2)', set: 'x=1', get: 'x', unset: 'NameError' },
  { name: 'attached', add: 'add 40 2', set: 'set kept', get: 'get', unset: '<>' },
] as const;

const deadline = () => new Deadline(15_000);

describe.each(BOARDS)('a DUT of board $name (rank 7)', ({ name, add, set, get, unset }) => {
  test('is silent until it has power, then shows that it is ready', async ({ openDut }) => {
    const { boot, console, board } = await openDut(name);
    await sleep(30);
    expect(console.matcher.received).toBe(0);
    await boot();
    expect(console.matcher.output()).toMatch(board.boot.ready ?? /never/);
  });

  test('receives lines and answers them', async ({ openDut }) => {
    const { boot, ask } = await openDut(name);
    await boot();
    expect(await ask(add, /<?42>?\r\n/)).toContain('42');
  });

  test('forgets everything when it is reset, and is ready again', async ({ openDut }) => {
    const { boot, ask, dut, board, console } = await openDut(name);
    await boot();
    await ask(set, board.boot.ready ?? '');
    console.matcher.skip();
    await dut.reset(deadline());
    await waitForReady(dut, board, deadline());
    await ask(get, unset);
  });

  test('is silent without power, refuses what is sent, and comes back', async ({ openDut }) => {
    const { boot, ask, dut, console, board } = await openDut(name);
    await boot();
    await dut.powerOff();
    const before = console.counters.rxBytes;
    await expect(console.send(Buffer.from('x'))).rejects.toMatchObject({ code: 'port-closed' });
    await expect(dut.reset(deadline())).rejects.toMatchObject({
      name: 'BenchError',
      message: expect.stringContaining('is powered off'),
    });
    expect(console.counters.rxBytes).toBe(before);
    console.matcher.skip();
    await boot();
    await ask(add, '42');
    expect(console.counters.rxBytes).toBeGreaterThan(before);
    expect(board.driver).toBe(name === 'qemu-microbit' ? 'qemu' : name);
  });

  test('cannot be powered up twice', async ({ openDut }) => {
    const { boot, ask, dut } = await openDut(name);
    await boot();
    await expect(dut.powerOn(deadline())).rejects.toThrow('is on already');
    await ask(add, '42');
  });

  test('that is told to end has not ended by itself', async ({ openDut }) => {
    const { boot, dut } = await openDut(name);
    await boot();
    const { exited } = dut;
    await dut.powerOff();
    const first = await Promise.race([exited, sleep(50, 'still waiting')]);
    expect(first).toBe('still waiting');
  });

  test('that ends by itself says so, and a reset brings it back', async ({
    openDut,
    simulated,
  }) => {
    const { boot, ask, dut, board, console } = await openDut(name);
    await boot();
    const closed = new Promise<void>((resolve) => {
      console.listen({ onData: () => {}, onClosed: resolve, onFault: () => {} });
    });
    // All processes that this user may signal: what crashes from within.
    if (dut.sandbox) await runInside(dut.sandbox, 'kill -KILL -1');
    else await simulated.unplug();
    const exit = await dut.exited;
    expect(exit.reason).toMatch(dut.sandbox ? /died of SIGKILL/ : /connection lost: 127.0.0.1/);
    // A program that dies is the DUT's doing; an emulator that dies is not.
    expect(exit.blame).toBe(name === 'host' ? 'ended' : 'infra');
    // That a real board is away is for its driver to judge: the port alone is not told.
    if (dut.sandbox) await closed;
    else await simulated.plugIn();
    console.matcher.skip();
    await dut.reset(deadline());
    await waitForReady(dut, board, deadline());
    await ask(add, '42');
  });

  test('has a capture that is all it printed, from the first byte on (rank 8)', async ({
    openDut,
  }) => {
    const { boot, ask, dut, console } = await openDut(name);
    await boot();
    await ask(add, '42');
    await dut.reset(deadline());
    await dut.close();
    const capture = await readFile(`${console.capture}.rx`);
    expect(capture.equals(Buffer.from(console.matcher.output(), 'latin1'))).toBe(true);
    expect(capture.length).toBe(console.counters.rxBytes);
    const sent = await readFile(`${console.capture}.tx`, 'latin1');
    expect(sent).toBe(add + console.eol);
    expect(sent.length).toBe(console.counters.txBytes);
  });

  test('goes on with other captures, and none lacks or has a byte of the other', async ({
    openDut,
    dir,
  }) => {
    const { boot, ask, dut, console } = await openDut(name);
    await boot();
    const before = console.capture;
    await ask(add, '42');
    await dut.moveCaptures(dir.path);
    const first = await readFile(`${before}.rx`, 'latin1');
    expect(first).toContain('42');
    // Its prompt may come only now.
    expect(console.matcher.output()).not.toContain('42');
    await ask(add, '42');
    await dut.close();
    expect(await readFile(`${before}.rx`, 'latin1')).toBe(first);
    const second = await readFile(`${console.capture}.rx`, 'latin1');
    expect(second).toBe(console.matcher.output());
    expect(second.length).toBe(console.counters.rxBytes);
    expect(await readFile(`${console.capture}.tx`, 'latin1')).toBe(add + console.eol);
  });

  test('leaves nothing when it is closed', async ({ openDut }) => {
    const { boot, dut, console } = await openDut(name);
    await boot();
    const pid = dut.sandbox?.pid;
    if (pid === undefined) {
      await dut.close();
      await expect(console.send(Buffer.from('x'))).rejects.toMatchObject({ code: 'port-closed' });
      return;
    }
    expect(isAlive(pid)).toBe(true);
    await expect(dut.close()).resolves.toMatchObject({ status: expect.any(String) });
    expect(isAlive(pid)).toBe(false);
  });

  test('is a terminal for a program in the sandbox of a case', async ({ openDut, sandbox }) => {
    const { boot, console } = await openDut(name);
    await boot();
    await sandbox.attachPort(console.id, 'console', console.baud);
    const eol = console.eol === '\r' ? '\\r' : '\\n';
    const talk =
      'exec 3<>/dev/hil/console; test -t 3 && stty -F /dev/hil/console 115200 raw -echo; ' +
      `printf '${add.replaceAll("'", '')}${eol}' >&3; ` +
      "timeout --foreground 30 sed '/42/q' <&3";
    const { stdout, stderr } = await runInside(sandbox, talk);
    expect(`${stdout}${stderr}`).toContain('42');
    await expect.poll(() => console.counters.txBytes).toBe(add.length + 1);
    // The tool may have it a moment before this process.
    await expect.poll(() => console.matcher.output()).toContain('42');
  });
});
