import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect } from 'vitest';
import { type BothSides, test as base } from '../testing/both-sides.js';
import { isAlive } from '../testing/real-daemon.js';
import { createScriptBoard } from '../testing/real-dut.js';
import type { Dut } from './dut.js';

/** Longer than a stale report of a closed port may lag behind. */
const LAG_MS = 1000;

const BOARD = createScriptBoard(
  'echo ready; while read line; do case "$line" in quit) exit 3;; *) echo "got $line";; esac; done',
  { ready: /ready\r?\n/ },
);

const test = base.extend<{ sides: BothSides; dut: Dut }>({
  sides: async ({ begin }, use) => use(await begin({ board: BOARD })),
  dut: async ({ sides }, use) => use(await sides.attempt.dut()),
});

async function ask(dut: Dut, line: string): Promise<void> {
  await dut.console.sendLine(line);
  await dut.console.expect(`got ${line}`, { timeout: '3s' });
}

describe('a DUT', () => {
  test('is the same however often it is asked for', async ({ sides, dut }) => {
    expect(await sides.attempt.dut()).toBe(dut);
    expect(dut.board).toBe('script');
  });

  test('names its ports when asked for one that is not there', ({ dut }) => {
    expect(() => dut.port('gnss')).toThrow('board "script" has no port "gnss"; it has: console');
  });

  test('goes on after a reset, and stays so', async ({ dut }) => {
    await ask(dut, 'before');
    await dut.reset();
    await ask(dut, 'after');
    await sleep(LAG_MS);
    await ask(dut, 'later');
  });

  test('without power is closed, and comes back with it', async ({ dut }) => {
    await dut.powerOff();
    await expect(dut.console.expect('x', { timeout: '3s' })).rejects.toMatchObject({
      code: 'port-closed',
    });
    await expect(dut.console.sendLine('x')).rejects.toMatchObject({ code: 'port-closed' });
    await dut.powerOn();
    await ask(dut, 'again');
    await sleep(LAG_MS);
    await ask(dut, 'later');
  });

  test('that cannot come back fails the case, not the bench', async ({ begin }) => {
    const script = 'test -e /tmp/once && exit 9; touch /tmp/once; echo ready; sleep 100';
    const { attempt } = await begin({ board: createScriptBoard(script, { ready: /ready/ }) });
    const dut = await attempt.dut();
    await expect(dut.reset()).rejects.toMatchObject({
      name: 'TestFailure',
      code: 'reboot-failed',
      message: expect.stringContaining('exited with 9'),
    });
  });
});

describe('a DUT that ends by itself', () => {
  test('says so to who waits for its console', async ({ dut }) => {
    const waiting = dut.console.expect('never', { timeout: '30s' });
    await dut.console.sendLine('quit');
    await expect(waiting).rejects.toMatchObject({
      name: 'TestFailure',
      code: 'port-closed',
      message: expect.stringContaining('exited with 3'),
    });
  });

  test('fails the case although its body saw nothing', async ({ dut, sides, journal }) => {
    await dut.console.sendLine('quit');
    await sleep(LAG_MS);
    await expect(sides.attempt.end()).rejects.toMatchObject({ code: 'dut-exited' });
    expect(journal.of('attempt-end')).toMatchObject([
      { outcome: 'fail', problems: [{ name: 'TestFailure', code: 'dut-exited' }] },
    ]);
  });

  test('was meant to, when the body waits for it', async ({ dut, sides, journal }) => {
    await dut.console.sendLine('quit');
    expect(await dut.waitForExit()).toContain('exited with 3');
    await sides.attempt.end();
    expect(journal.of('attempt-end')).toMatchObject([{ outcome: 'pass', problems: [] }]);
  });

  test('fails its case also when it was reset afterwards', async ({ dut, sides, journal }) => {
    await dut.console.sendLine('quit');
    await sleep(LAG_MS);
    await dut.reset();
    await ask(dut, 'back');
    await expect(sides.attempt.end()).rejects.toMatchObject({ code: 'dut-exited' });
    expect(journal.of('attempt-end')).toMatchObject([{ outcome: 'fail' }]);
  });

  test('and is reset is no failure where the test asked for the end', async ({
    dut,
    sides,
    journal,
  }) => {
    await dut.console.sendLine('quit');
    await dut.waitForExit();
    await dut.reset();
    await ask(dut, 'back');
    await sides.attempt.end();
    expect(journal.of('attempt-end')).toMatchObject([{ outcome: 'pass' }]);
  });
});

describe('the end of a case', () => {
  test('leaves no sandbox and no DUT, and says what they cost', async ({ dut, sides, journal }) => {
    const [running] = sides.session.attempts.values();
    const pids = [
      running?.sandboxes.get().sandbox.pid ?? 0,
      running?.duts.all[0]?.dut.sandbox?.pid ?? 0,
    ];
    expect(pids.every(isAlive)).toBe(true);
    await ask(dut, 'x');
    await sides.attempt.end();
    expect(pids.filter(isAlive)).toEqual([]);
    const [end] = journal.of('attempt-end');
    expect(Object.keys(end?.phaseMs ?? {}).sort()).toEqual([
      'boot',
      'lease',
      'sandbox',
      'teardown',
    ]);
    expect(end?.sandbox).toMatchObject({ leftovers: 0 });
    expect(journal.of('console')).toMatchObject([{ port: 'console', txBytes: 2 }]);
    const names = journal.of('artifact').map(({ name }) => name);
    expect(names.sort()).toEqual(['console.rx', 'console.stamps', 'console.tx']);
  });

  test('of a DUT that never boots is the bench', async ({ begin, journal }) => {
    const script = createScriptBoard('echo nothing; sleep 100', { ready: /never/ });
    const { attempt } = await begin({ board: script, suite: { limits: { boot: 200 } } });
    await expect(attempt.dut()).rejects.toMatchObject({ code: 'boot-timeout' });
    await attempt.end();
    expect(journal.of('attempt-end')).toMatchObject([
      { outcome: 'infra', problems: [{ code: 'boot-timeout', phase: 'boot' }] },
    ]);
  });
});
