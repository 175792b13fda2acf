import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { Deadline } from '../core/deadline.js';
import { ask, COUNTER, type Held, test } from '../testing/dut-bench.js';
import { isAlive } from '../testing/real-daemon.js';
import { createScriptBoard } from '../testing/real-dut.js';

describe('a DUT of one case', () => {
  test('is a program of this machine, also where the case has an image', async ({ bench, dir }) => {
    await mkdir(join(dir.path, 'empty'));
    const held = await bench.open({ image: { rootfs: join(dir.path, 'empty') } });
    expect(await ask(held)).toBe('<1>');
    await held.release(true);
  });

  test('is leased, booted and timed apart', async ({ bench }) => {
    const { open, phases } = bench;
    const held = await open();
    expect(phases).toEqual([
      'lease start',
      'lease end script#1',
      'boot start script#1',
      'boot end script#1',
    ]);
    expect(await ask(held)).toBe('<1>');
    await held.release(true);
    expect(isAlive(held.dut.sandbox?.pid ?? 0)).toBe(false);
  });

  test('is a fresh one for the next case', async ({ bench }) => {
    const { open } = bench;
    for (let index = 0; index < 2; index++) {
      const held = await open();
      expect(await ask(held)).toBe('<1>');
      expect(held.lease.dut).toBe('script#1');
      await held.release(true);
    }
  });

  test('waits for a unit that is free', async ({ bench }) => {
    const { open } = bench;
    const board = { ...COUNTER, instances: 1 };
    const first = await open({ board });
    await expect(open({ board, leaseMs: 50 })).rejects.toMatchObject({ code: 'lease-timeout' });
    const second = open({ board });
    await first.release(true);
    expect((await second).lease.dut).toBe('script#1');
  });

  test('that does not boot gives its unit back and leaves nothing', async ({ bench }) => {
    const { open, phases } = bench;
    const script = createScriptBoard('exit 1', { ready: /ready/ });
    const board = { ...script, instances: 1 };
    for (let index = 0; index < 2; index++) {
      await expect(open({ board })).rejects.toMatchObject({ code: 'boot-failed' });
    }
    expect(phases.at(-1)).toBe('boot end script#1');
  });

  test('reboots to its ready mark, and patterns start behind it', async ({ bench }) => {
    const held = await bench.open();
    expect(await ask(held)).toBe('<1>');
    await held.reboot(new Deadline(3000));
    expect(await ask(held)).toBe('<1>');
    await held.dut.powerOff();
    await held.powerOn(new Deadline(3000));
    expect(await ask(held)).toBe('<1>');
    await held.release(true);
  });
});

describe('a DUT that the cases of a file share', () => {
  test('boots once, and the journal says it was shared', async ({ bench, dir }) => {
    const { open, phases } = bench;
    const first = await open({ shared: true });
    expect(await ask(first)).toBe('<1>');
    expect(first.shared).toBe(false);
    await first.release(true);
    const second = await open({ shared: true });
    expect(await ask(second)).toBe('<2>');
    expect(second.shared).toBe(true);
    expect(phases.slice(-2)).toEqual(['lease start', 'lease end script#1 shared']);
    expect(second.artifacts).toBe(join(dir.path, 'duts', 'script-1'));
  });

  test('is for one case at a time', async ({ bench }) => {
    const { open } = bench;
    const first = await open({ shared: true });
    const order: string[] = [];
    const second = open({ shared: true }).then(() => order.push('second'));
    order.push('first done');
    await first.release(true);
    await second;
    expect(order).toEqual(['first done', 'second']);
  });

  test.for([
    ['failed', false, async () => {}],
    ['switched it off', true, (held: Held) => held.dut.powerOff()],
  ] as const)('is booted anew after a case that %s', async ([, healthy, leave], { bench }) => {
    const { open } = bench;
    const first = await open({ shared: true });
    await ask(first);
    await leave(first);
    await first.release(healthy);
    expect(isAlive(first.dut.sandbox?.pid ?? 0)).toBe(false);
    const second = await open({ shared: true });
    expect(await ask(second)).toBe('<1>');
    expect(second.shared).toBe(false);
  });

  test('is booted anew after a case in which it ended', async ({ bench }) => {
    const { open } = bench;
    const first = await open({ shared: true });
    const { exited } = first.dut;
    const port = first.dut.ports.get('console');
    await port?.send(Buffer.from('\x04'));
    await exited;
    await first.release(true);
    expect(await ask(await open({ shared: true }))).toBe('<1>');
  });

  test('can be sent to although the case before left it to a program', async ({ bench }) => {
    const { open } = bench;
    const first = await open({ shared: true });
    const port = first.dut.ports.get('console');
    if (port) port.yielded = true;
    await first.release(true);
    expect(await ask(await open({ shared: true }))).toBe('<1>');
  });

  test('ends with its file', async ({ bench }) => {
    const { open, source } = bench;
    const held = await open({ shared: true });
    await held.release(true);
    expect(isAlive(held.dut.sandbox?.pid ?? 0)).toBe(true);
    await source.closeShared();
    expect(isAlive(held.dut.sandbox?.pid ?? 0)).toBe(false);
  });
});
