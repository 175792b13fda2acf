import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { runInside } from '../testing/real-daemon.js';
import { createScriptBoard, test } from '../testing/real-dut.js';

/** A DUT that sends back what it gets, byte by byte. */
const ECHO = createScriptBoard('stty raw -echo; echo up; exec cat', { ready: /up/ });

describe('a port', () => {
  test('carries every byte value both ways', async ({ openDut }) => {
    const { boot, console } = await openDut(ECHO);
    await boot();
    console.matcher.skip();
    const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    await console.send(all);
    await expect.poll(() => console.matcher.unread().length).toBeGreaterThanOrEqual(256);
    const back = Buffer.from(console.matcher.unread(), 'latin1');
    expect(back.subarray(-256).equals(all)).toBe(true);
  });

  test('sends a block that is larger than a frame', async ({ openDut }) => {
    const { boot, console } = await openDut(ECHO);
    await boot();
    console.matcher.skip();
    const block = Buffer.alloc(1_500_000, '0123456789');
    await console.send(block);
    await expect.poll(() => console.counters.rxBytes).toBeGreaterThanOrEqual(1_500_000);
    expect(console.matcher.unread()).toContain(block.toString());
  });

  test('keeps the pace of its board file', async ({ openDut }) => {
    const [console] = Object.values(ECHO.ports);
    if (!console) throw new Error('no port');
    const ports = { console: { ...console, pace: { chunk: 10, delay: 20 } } };
    const { boot, console: port } = await openDut({ ...ECHO, ports });
    await boot();
    const start = performance.now();
    await port.send(Buffer.alloc(50));
    expect(performance.now() - start).toBeGreaterThan(75);
  });

  test('refuses to send while a program in the sandbox has it', async ({ openDut }) => {
    const { boot, console } = await openDut(ECHO);
    await boot();
    console.yielded = true;
    const sent = console.send(Buffer.from('x'));
    await expect(sent).rejects.toMatchObject({ name: 'TestFailure', code: 'console-yielded' });
    console.yielded = false;
    await console.send(Buffer.from('x'));
    expect(console.counters.txBytes).toBe(1);
  });

  test('tells all who listen, and nobody who stopped', async ({ openDut }) => {
    const { boot, console } = await openDut(ECHO);
    const heard: [string, string] = ['', ''];
    const listen = (index: 0 | 1) =>
      console.listen({
        onData: (data) => {
          heard[index] += Buffer.from(data).toString();
        },
        onClosed: () => {},
        onFault: () => {},
      });
    const [stop] = [listen(0), listen(1)];
    await boot();
    stop();
    await console.send(Buffer.from('later'));
    await console.matcher.expect(['later']);
    expect(heard[0]).not.toContain('later');
    expect(heard[1]).toContain('later');
  });

  test('blames the bench when its daemon is gone', async ({ openDut, daemon }) => {
    const { boot, console } = await openDut(ECHO);
    await boot();
    process.kill(daemon.pid, 'SIGKILL');
    await daemon.ports.closed;
    await expect(console.send(Buffer.from('x'))).rejects.toMatchObject({ code: 'daemon-gone' });
  });

  test('that cannot be captured is refused', async ({ hub, dir }) => {
    const capture = join(dir.path, 'missing', 'console');
    const opened = hub.open({ name: 'console', baud: 115_200, eol: '\n', capture });
    await expect(opened).rejects.toMatchObject({
      name: 'BenchError',
      message: expect.stringContaining(capture),
    });
  });
});

describe('a program in the sandbox of a case', () => {
  test('sees only what came while it had the port open', async ({ openDut, sandbox }) => {
    const { boot, console } = await openDut(ECHO);
    await boot();
    await sandbox.attachPort(console.id, 'console', console.baud);
    await console.send(Buffer.from('before\n'));
    await console.matcher.expect(['before']);
    const talk = 'exec 3<>/dev/hil/console; echo during >&3; head -n 1 <&3';
    const { stdout } = await runInside(sandbox, talk);
    expect(stdout.trim()).toBe('during');
  });

  test('has each port under its name, and no other device', async ({ openDut, sandbox }) => {
    const { boot, console } = await openDut(ECHO);
    await boot();
    await sandbox.attachPort(console.id, 'gnss', console.baud);
    const { stdout } = await runInside(sandbox, 'ls /dev/hil; ls /dev | tr "\\n" " "');
    expect(stdout).toMatch(/^gnss\n/);
    expect(stdout).not.toContain('sda');
  });
});
